#!/usr/bin/env python3
"""Compares the C functions for hosts, as today's header declares them, with the kept ones by abidiff.

    tests/abi/embed/check.py           fails when a function has gone or changed, or a struct has moved
    tests/abi/embed/check.py --keep    keeps today's, after something was added at an end

That the library defines what the header declares is the compiler's business and that of tests/consume.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parents[2] / "include"
KEPT = HERE / "flowrun_c.abi"


def build_face(folder):
    """A library with a body for every function of the header, and all its types."""
    header = (INCLUDE / "flowrun" / "flowrun_c.h").read_text(encoding="utf-8")
    functions = re.findall(r"^FLOWRUN_API ([^;]*);", header, re.M)
    bodies = "".join(f"{function} {{ __builtin_trap(); }}\n" for function in functions)
    source, library = folder / "face.c", folder / "libface.so"
    source.write_text(f"#include <flowrun/flowrun_c.h>\n{bodies}", encoding="utf-8")
    subprocess.run(["cc", "-std=c11", "-g", "-O0", "-w", "-shared", "-fPIC", f"-I{INCLUDE}", source.name, "-o", library],
                   cwd=folder, check=True)
    return library


def main():
    if not shutil.which("abidiff"):
        sys.exit("abi: abidiff is not installed — run tools/setup")
    with tempfile.TemporaryDirectory() as name:
        library = build_face(pathlib.Path(name))
        if "--keep" in sys.argv:
            subprocess.run(["abidw", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--out-file", KEPT, library], check=True)
            return 0
        done = subprocess.run(["abidiff", "--no-added-syms", KEPT, library], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        print("abi: every kept function and struct is as it was")
        return 0
    print(done.stdout + done.stderr)
    print("abi: the above differs — nothing may change but what is added at an end; then keep it with --keep")
    return 1


if __name__ == "__main__":
    sys.exit(main())
