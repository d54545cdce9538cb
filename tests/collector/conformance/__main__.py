"""``python -m tests.collector.conformance``: one line for each rule."""

from __future__ import annotations

import argparse
import sys

from tests.collector.conformance import RULES, Server, __doc__, broken_rules


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--http", default="http://127.0.0.1:4318")
    parser.add_argument("--grpc", default="127.0.0.1:4317")
    parser.add_argument("--max-request-mb", type=int, default=64)
    arguments = parser.parse_args()
    broken = broken_rules(Server(arguments.http, arguments.grpc, arguments.max_request_mb * 1024 * 1024))
    for name in RULES:
        print(f"{'BROKEN' if name in broken else 'ok':7} {name.replace('_', ' ')}  {broken.get(name, '')}")
    return 1 if broken else 0


sys.exit(main())
