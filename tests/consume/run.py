#!/usr/bin/env python3
"""Builds and runs programs outside of the project against an install tree.

    tests/consume/run.py BUILD_DIRECTORY [exports|find_package|plain_c|add_subdirectory ...]
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(sys.argv[1]).resolve()
SAID = "a sensor with a long name 5\n"


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


class Consume(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.work = pathlib.Path(cls.folder.name)
        cls.prefix = cls.work / "installed"
        run("cmake", "--install", BUILD, "--component", "library", "--prefix", cls.prefix)
        cls.lib = next(cls.prefix.glob("lib*/**/flowrun.pc")).parents[1]

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_exports(self):
        """The shared library shows flowrun_* and nothing else, under its SOVERSION."""
        listed = run("nm", "-D", "--defined-only", self.lib / "libflowrun.so").splitlines()
        names = {line.split()[-1] for line in listed}
        self.assertTrue(names)
        self.assertEqual({name for name in names if not name.startswith("flowrun_")}, set())
        header = (ROOT / "include" / "flowrun" / "flowrun_c.h").read_text(encoding="utf-8")
        declared = {word.split("(")[0].lstrip("*") for line in header.splitlines() if line.startswith("FLOWRUN_API")
                    for word in line.split() if "(" in word}
        self.assertEqual(names, declared)
        self.assertIn("[libflowrun.so.0]", run("readelf", "-d", self.lib / "libflowrun.so"))

    def test_find_package(self):
        build = self.work / "find_package"
        run("cmake", "-S", HERE / "find_package", "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run("cmake", "--build", build)
        self.assertEqual(run(build / "consumer"), SAID)
        self.assertEqual(run(build / "consumer_static"), SAID)

    def test_plain_c(self):
        environment = dict(os.environ, PKG_CONFIG_PATH=str(self.lib / "pkgconfig"))
        flags = run("pkg-config", "--cflags", "--libs", "flowrun", env=environment).split()
        program = self.work / "counts"
        run("cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", ROOT / "examples" / "embed" / "counts.c", "-o", program, *flags)
        self.assertEqual(run(program, env=dict(os.environ, LD_LIBRARY_PATH=str(self.lib))), "11\n12\n")

    def test_add_subdirectory(self):
        """The core alone, without the command, the tests and the connectors; says how large it is."""
        build = self.work / "add_subdirectory"
        run("cmake", "-S", HERE / "add_subdirectory", "-B", build, "-G", "Ninja", f"-DFLOWRUN_SOURCE={ROOT}",
            "-DCMAKE_BUILD_TYPE=Release", "-DFLOWRUN_PRECOMPILED=ON")
        run("cmake", "--build", build, "--target", "consumer", env=dict(os.environ, CCACHE_NOHASHDIR="1"))
        self.assertEqual(run(build / "consumer"), SAID)
        library = next(build.glob("flowrun/libflowrun.so.*.*"))
        run("strip", "-o", self.work / "stripped.so", library)
        print(f"core-only libflowrun.so: {(self.work / 'stripped.so').stat().st_size >> 10} KiB stripped")


if __name__ == "__main__":
    names = [f"Consume.test_{word}" for word in sys.argv[2:]]
    unittest.main(argv=[sys.argv[0], *names], verbosity=2)
