"""An environment with langchain-community's ``ArthurCallbackHandler``, Arthur's SDK and our exporter.

The handler imports ``arthurai``, whose pins exclude LangChain 1.x. Installed without its requirements,
and with newer ones than it names, it imports: fit to compare with, not for users.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv

from tests.support.paths import CACHE, ROOT

ENVIRONMENT = CACHE / "callback_handler"
PYTHON = ENVIRONMENT / "bin" / "python"
COMPARED = (
    "langchain==1.4.7",
    "langchain-community==0.4.2",
    "langchain-core==1.7.2",
    "langchain-openai==1.7.3",
    "openai==3.54.0",
    "opentelemetry-instrumentation-langchain==0.62.4",
)
"""What the comparison is between; the rest may be whatever is newest for the Python that runs."""
SDK = ("arthurai==3.33.3", "lime")
SDK_IMPORTS = (
    "dataclasses-json",
    "dill",
    "docker",
    "matplotlib",
    "numpy",
    "pandas",
    "pyarrow",
    "pyjwt",
    "python-dateutil",
    "pytz",
    "scikit-image",
    "scikit-learn",
    "seaborn",
    "shap",
    "shortuuid",
    "tqdm",
    "yaspin",
)


def provision() -> str:
    """Make the environment if it is missing or out of date (1.2 GB, about 90 s); '' or why it cannot be."""
    stamp = ENVIRONMENT / ".done"
    wanted = "\n".join((sys.version, str(ROOT), *COMPARED, *SDK, *SDK_IMPORTS))
    if stamp.exists() and stamp.read_text() == wanted:
        return ""
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    venv.create(ENVIRONMENT, with_pip=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-e", str(ROOT), *COMPARED, *SDK_IMPORTS], check=True, cwd=ROOT)
    subprocess.run([*pip, "--no-deps", *SDK], check=True, cwd=ROOT)
    probe = "import langchain_community.callbacks.arthur_callback, arthurai.common.constants"
    done = subprocess.run([str(PYTHON), "-c", probe], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return f"arthurai does not import beside LangChain 1.x here: {last}"
    stamp.write_text(wanted)
    return ""


def missing() -> str:
    """Why tests cannot use the environment now, or ''."""
    return "" if (ENVIRONMENT / ".done").exists() else "`make test` has not made it"
