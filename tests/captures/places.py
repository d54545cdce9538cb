"""Where a recording's program runs: an environment of Python, npm, Go or Maven, made and brought up to date.

A requirement is written as its registry writes it: ``a[b]==1``, ``@a/b@1``, ``host/a/b@v1``, ``group:name:1``
(``group:name``, where a BOM among them knows its version).
The environment of a recording tells its registry by the table that names it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from tests.captures import environments as main
from tests.captures import environments_languages as languages
from tests.captures import environments_long_tail as long_tail
from tests.captures import environments_products as products
from tests.captures.environments import Mode, Recording
from tests.support.environments.tiers import missing, python_of
from tests.support.paths import CACHE, CAPTURES, ROOT

ENVIRONMENTS = main.ENVIRONMENTS | long_tail.ENVIRONMENTS | products.ENVIRONMENTS | languages.ENVIRONMENTS
NODE_ENVIRONMENTS = long_tail.NODE_ENVIRONMENTS | products.NODE_ENVIRONMENTS | languages.NODE_ENVIRONMENTS
GO_ENVIRONMENTS, MAVEN_ENVIRONMENTS = languages.GO_ENVIRONMENTS, languages.MAVEN_ENVIRONMENTS
RECORDINGS = main.RECORDINGS + long_tail.RECORDINGS + products.RECORDINGS + languages.RECORDINGS
PROGRAMS = CAPTURES / "programs"
"""What an environment runs, with what it imports beside it."""
LANGUAGES = {
    **dict.fromkeys(ENVIRONMENTS, "Python"),
    **dict.fromkeys(NODE_ENVIRONMENTS, "JavaScript"),
    **dict.fromkeys(GO_ENVIRONMENTS, "Go"),
    **dict.fromkeys(MAVEN_ENVIRONMENTS, "Java"),
}
"""Environment -> its language for people."""

_OTHERS = NODE_ENVIRONMENTS | GO_ENVIRONMENTS | MAVEN_ENVIRONMENTS
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>captures</groupId><artifactId>captures</artifactId><version>1</version>
<dependencyManagement><dependencies>{boms}</dependencies></dependencyManagement>
<dependencies>{libraries}</dependencies></project>
"""
_BOM = ("-bom", "-dependencies")
"""How a Maven package is called that gives others their versions."""


def unpinned(requirement: str) -> str:
    """A requirement for the newest version instead of a certain one."""
    if "==" in requirement:
        return requirement.partition("==")[0]
    if "@" in requirement:
        return f"{requirement.rpartition('@')[0]}@latest"
    return ":".join([*requirement.split(":")[:2], "RELEASE"]) if requirement.count(":") > 1 else requirement


def requirements_of(recording: Recording) -> list[str]:
    """What is installed for a recording, as its registry writes it."""
    return (ENVIRONMENTS | _OTHERS)[recording.environment]


def place_of(recording: Recording) -> Path:
    """What runs a recording's program, brought up to date: an interpreter, or a folder of packages."""
    name = recording.environment
    if name in ENVIRONMENTS:
        session = f"captures({name})"
        subprocess.run([sys.executable, "-m", "nox", "--install-only", "-s", session], check=True, cwd=ROOT)
        if reason := missing(session):
            raise click.ClickException(f"{name}: {reason}")
        return python_of(session)
    folder, requirements = CACHE / "captures" / name, _OTHERS[name]
    stamp, wanted = folder / "requirements.txt", "\n".join(requirements) + "\n"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _fill(name, folder, requirements)
        stamp.write_text(wanted)
    return folder


def newest_place(recording: Recording, top: Path) -> Path:
    """As `place_of`, below `top`, with the newest versions that the registry serves.

    Raises:
        ClickException: something cannot be installed; the message is the installer's.
    """
    name = recording.environment
    folder = top / name
    if name in ENVIRONMENTS:
        uv = (sys.executable, "-m", "uv")
        _install(*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
        python = folder / "bin" / "python"
        packages = [unpinned(pin) for pin in ENVIRONMENTS[name]]
        _install(*uv, "pip", "install", "--quiet", "--upgrade", "--python", str(python), *packages)
        return python
    # What npm finds in a folder keeps it from newer versions; the recorder's own SDK stays as it is.
    shutil.rmtree(folder, ignore_errors=True)
    _fill(
        name, folder, [pin if pin.startswith("@opentelemetry/") else unpinned(pin) for pin in _OTHERS[name]]
    )
    return folder


def _fill(name: str, folder: Path, requirements: Sequence[str]) -> None:
    folder.mkdir(parents=True)
    if name in NODE_ENVIRONMENTS:
        _install("npm", "install", "--loglevel", "error", "--prefix", str(folder), *requirements)
    elif name in GO_ENVIRONMENTS:
        _install("go", "mod", "init", "captures", cwd=folder)
        _install("go", "get", *requirements, cwd=folder)
    else:
        pom = _POM.format(
            boms="".join(_dependency(*one.split(":")) for one in requirements if _is_bom(one)),
            libraries="".join(_dependency(*one.split(":")) for one in requirements if not _is_bom(one)),
        )
        (folder / "pom.xml").write_text(pom)
        _install("mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib", cwd=folder)


def _is_bom(requirement: str) -> bool:
    return requirement.split(":")[1].endswith(_BOM)


def _dependency(group: str, artifact: str, version: str = "") -> str:
    versioned = f"<version>{version}</version>" if version else ""
    imported = "<type>pom</type><scope>import</scope>" if artifact.endswith(_BOM) else ""
    return (
        f"\n<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
        f"{versioned}{imported}</dependency>"
    )


def _install(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    if done.returncode:
        # Paths of this machine, as of npm's logs, say nothing to others.
        lines = (done.stderr or done.stdout).replace("npm error", "").replace("[ERROR]", "").splitlines()
        told = " ".join(line.strip() for line in lines if line.strip() and str(Path.home()) not in line)
        raise click.ClickException(f"cannot be installed: {told[:300]}")


def command_of(recording: Recording, mode: Mode, out: Path, place: Path) -> list[str]:
    """How to run a recording's program, built where its language asks for that."""
    name, arguments = recording.environment, json.dumps(mode.arguments)
    if name in ENVIRONMENTS:
        command = [str(place), str(PROGRAMS / recording.program), "--out", str(out), "--arguments", arguments]
        command += [part for name in recording.instrumentors for part in ("--instrumentor", name)]
        return command + [part for name in recording.scenarios for part in ("--only", name)]
    if name in NODE_ENVIRONMENTS:
        # Node looks for packages beside the program.
        for program in PROGRAMS.glob("*.mjs"):
            shutil.copy(program, place)
        command = ["node", str(place / recording.program)]
    elif name in GO_ENVIRONMENTS:
        for program in (recording.program, "recording.go"):
            shutil.copy(PROGRAMS / program, place)
        _install("go", "mod", "tidy", cwd=place)
        _install("go", "build", "-o", "recorder", ".", cwd=place)
        command = [str(place / "recorder")]
    else:
        command = _java(recording.program, place)
    return [*command, str(out), arguments, "".join(recording.instrumentors), *recording.scenarios]


def _java(program: str, place: Path) -> list[str]:
    libraries, classes = f"{place}/lib/*", f"{place}/classes"
    sources = [str(PROGRAMS / "Recording.java")]
    # A program finds the classes beside it that it names.
    javac = ("javac", "-parameters", "-encoding", "UTF-8", "-sourcepath", str(PROGRAMS), "-cp", libraries)
    if program.endswith(".kt"):
        kotlin = ("org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-no-stdlib", "-nowarn", "-jvm-target", "17")
        jars = os.pathsep.join(map(str, sorted((place / "lib").glob("*.jar"))))
        _install(*javac, "-d", classes, *sources)
        path = f"{jars}{os.pathsep}{classes}"
        plugins = [f"-Xplugin={jar}" for jar in (place / "lib").glob("kotlin-*-compiler-plugin-*.jar")]
        _install(
            "java", "-cp", libraries, *kotlin, *plugins, "-cp", path, "-d", classes, str(PROGRAMS / program)
        )
    else:
        _install(*javac, "-d", classes, *sources, str(PROGRAMS / program))
    main_class = re.sub(r"\.(java|kt)$", lambda end: "Kt" if end[1] == "kt" else "", program)
    return ["java", "-cp", f"{classes}{os.pathsep}{libraries}", main_class]


def packages_in(recording: Recording, place: Path) -> dict[str, str]:
    """Package -> version, of those that can matter to a reader of the captures."""
    name = recording.environment
    if name in ENVIRONMENTS:
        return _installed(place, ENVIRONMENTS[name])
    if name in NODE_ENVIRONMENTS:
        names = [pin.rpartition("@")[0] for pin in NODE_ENVIRONMENTS[name]]
        manifests = {name: place / "node_modules" / name / "package.json" for name in names}
        return {name: json.loads(path.read_text())["version"] for name, path in manifests.items()}
    if name in GO_ENVIRONMENTS:
        names = [pin.rpartition("@")[0] for pin in GO_ENVIRONMENTS[name]]
        asked = ["go", "list", "-m", "-f", "{{.Path}} {{.Version}}", *names]
        listed = subprocess.run(asked, check=True, capture_output=True, text=True, cwd=place).stdout
        return {name: version[1:] for name, version in (line.split() for line in listed.splitlines())}
    jars = [path.stem for path in (place / "lib").glob("*.jar")]
    found: dict[str, str] = {}
    for pin in MAVEN_ENVIRONMENTS[name]:
        if _is_bom(pin):
            continue
        group, artifact = pin.split(":")[:2]
        version = next(
            jar.removeprefix(f"{artifact}-") for jar in jars if re.match(rf"{re.escape(artifact)}-\d", jar)
        )
        found[f"{group}:{artifact}"] = version
    return found


def _installed(python: Path, requirements: list[str]) -> dict[str, str]:
    # An environment that uv makes has no pip.
    program = (
        "import json, importlib.metadata as m; "
        "print(json.dumps([{'name': d.name, 'version': d.version} for d in m.distributions()]))"
    )
    listing = subprocess.run([python, "-c", program], check=True, capture_output=True, text=True)
    prefixes = ("opentelemetry-", "openinference-", "langchain", "langgraph", "openai")
    prefixes += tuple(_normal(pin.partition("=")[0].partition("[")[0]) for pin in requirements)
    return {
        entry["name"]: entry["version"]
        for entry in json.loads(listing.stdout)
        if _normal(entry["name"]).startswith(prefixes)
    }


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")


def private_folder(place: Path) -> Path:
    """The folder of an environment, whose path must not stand in a capture."""
    return place.parents[1] if place.is_file() else place
