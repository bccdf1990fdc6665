"""Puts libflowrun.so into the package: the one named by FLOWRUN_LIBRARY, else the newest one of the project's
build folders, else one that is built now."""
import os
import pathlib
import shutil
import subprocess

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

ROOT = pathlib.Path(__file__).resolve().parents[1]


def library():
    named = os.environ.get("FLOWRUN_LIBRARY")
    if named:
        return pathlib.Path(named)
    built = [path for preset in ("release", "core", "debug") for path in (ROOT / "build" / preset).glob("libflowrun.so")]
    if not built:
        subprocess.run(["cmake", "--preset", "core"], cwd=ROOT, check=True)
        subprocess.run(["cmake", "--build", "--preset", "core", "--target", "flowrun_shared"], cwd=ROOT, check=True)
        built = [ROOT / "build" / "core" / "libflowrun.so"]
    return max(built, key=lambda path: path.stat().st_mtime)


class BuildWithLibrary(build_py):
    def run(self):
        super().run()
        shutil.copyfile(library(), pathlib.Path(self.build_lib) / "flowrun" / "libflowrun.so")


class BinaryDistribution(Distribution):
    def has_ext_modules(self):
        return True  # the wheel is for this machine's kind only


setup(cmdclass={"build_py": BuildWithLibrary}, distclass=BinaryDistribution)
