# SPDX-License-Identifier: BSD-2-Clause
"""examples/quickstart.sh, its short form: with faces of its own, and with a folder of images."""
import os

from rig import BUILD, SOURCE, faces, main, png_header, run

SCRIPT = os.path.join(SOURCE, "examples", "quickstart.sh")


def quickstart(*words, **expected):
    return run("sh", SCRIPT, "--short", *words, timeout=300, env={**os.environ, "MASKDM_BUILD": BUILD}, **expected)


def check_faces():
    said = quickstart("--out", "my faces").stdout
    assert "loss on held-out images" in said and "New images: %s" % os.path.abspath("my faces/grid.png") in said
    assert png_header("my faces/grid.png")[2:] == (8, 2)
    quickstart("--out", "my faces", status=1, says=["my faces", "not empty"])


def check_own_images():
    faces("my images/some", 40, 40)
    faces("my images/others", 40, 24, 1)
    quickstart("--data", "my images", "--out", "out")
    assert png_header("out/grid.png")[2:] == (8, 2)
    quickstart("--data", "missing", "--out", "other", status=1, says=["missing"])
    assert not os.path.exists("other/grid.png")


def check_wrong():
    quickstart("--dada", status=2, says=["quickstart.sh"])
    quickstart("--data", status=2, says=["--data"])


if __name__ == "__main__":
    main(globals())
