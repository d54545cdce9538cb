"""CPU per inference of Arthur's own SDK, `ArthurModel.send_inferences`, from dicts that are ready.

    PYTHON benchmarks/arthurai_rows.py        # in an environment with arthurai; see `nox -s arthurai`

No span is read and nothing is kept on disk: it is what sending alone costs there.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from datetime import datetime, timezone

from arthurai import ArthurAI
from arthurai.common.constants import InputType, OutputType
from sink import Sink

WORDS = "The quick brown fox jumps over the lazy dog while the model thinks about an answer to that. "


def rows(count: int, first: int) -> list[dict[str, object]]:
    return [
        {
            "partner_inference_id": f"{number:032x}-{number:016x}-0",
            "inference_timestamp": datetime.now(timezone.utc),
            "inference_data": {
                "input_text": f"System: {WORDS * 2}\nHuman: {(WORDS * 8)[:700]}{number}",
                "output_text": f"{(WORDS * 8)[:600]}{number}",
                "prompt_tokens": 321,
                "completion_tokens": 123,
                "finish_reason": "stop",
                "duration": 0.5,
                "model": "gpt-4o-mini",
                "provider": "openai",
            },
        }
        for number in range(first, first + count)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batches", type=int, default=8)
    options = parser.parse_args()
    with Sink() as sink:
        client = ArthurAI(url=sink.url, access_key="k", allow_insecure=True)
        model = client.model("bench", input_type=InputType.NLP, output_type=OutputType.TokenSequence)
        model.id = "bench"
        model.attributes = []
        model.send_inferences(rows(512, 0))
        found: list[float] = []
        for turn in range(options.rounds):
            batches = [rows(512, 1 + (turn * options.batches + n) * 512) for n in range(options.batches)]
            gc.collect()
            began = time.process_time()
            for batch in batches:
                model.send_inferences(batch)
            found.append((time.process_time() - began) / (512 * options.batches) * 1e6)
    low, middle, high = statistics.quantiles(found, n=4)
    print(json.dumps({"median": middle, "low": low, "high": high}))


if __name__ == "__main__":
    main()
