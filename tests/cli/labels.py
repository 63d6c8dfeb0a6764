# SPDX-License-Identifier: BSD-2-Clause
"""Labels are folders: a path one level too high is said, and the names go into the files and come back."""
import json
import os

from rig import TINY, faces, images, main, maskdm, read, write


def pretrain(data, out, *more):
    return maskdm("pretrain", "--data", data, "--out", out, *TINY, "--steps", 1, *more).stderr


def check_one_level_too_high():
    for label in ("ape", "b\u00e9e"):
        faces("data/train/" + label, 8)
    said = pretrain("data", "high", "--classes", 2)
    assert "warning: the data have 1 label (train) and the network 2 classes; is data one level too high? " \
        "data/train holds 2 folders of images (ape, b\u00e9e)\n" in said, said
    said = pretrain("data/train", "right", "--classes", 2)
    assert "found 16 images below data/train, 2 labels (ape, b\u00e9e)\n" in said and "warning" not in said, said
    said = pretrain("data/train/ape", "low", "--classes", 2)
    assert "warning: none of the 8 images of the data has a label, and the network has 2 classes" in said, said
    said = pretrain("data/train", "none")
    assert "warning" not in said and "labels of the data are not used" in said, said


def check_label_without_images():
    """Of a folder with nothing but broken images the network would have a class that it never sees."""
    for label in ("ape", "bee"):
        faces("data/" + label, 8)
    for label in ("cat", "dog"):
        os.mkdir("data/" + label)
        write("data/%s/0.png" % label, b"no picture")
    said = pretrain("data", "run", "--classes", 4)
    assert "warning: 2 labels without an image that can be read: cat, ...\n" in said, said
    os.remove("data/cat/0.png")
    said = pretrain("data", "one", "--classes", 4)
    assert "warning: 1 label without an image that can be read: dog\n" in said, said


def check_names():
    for label in ("ape", "b\u00e9e", 'a "b"'):
        faces("data/" + label, 8)
    pretrain("data", "run", "--classes", 3)
    for name in ("model", "checkpoint-1"):
        path = "run/%s.safetensors" % name
        told = json.loads(maskdm("info", path, "--json").stdout)["metadata"]["maskdm.labels"]
        assert json.loads(told) == ['a "b"', "ape", "b\u00e9e"], told
        assert "ape" in maskdm("info", path).stdout and "b\u00e9e" in maskdm("info", path).stdout
    pretrain("data", "none")
    assert "maskdm.labels" not in maskdm("info", "none/model.safetensors").stdout
    maskdm("sample", "--model", "run/model.safetensors", "--label", 2, "--count", 1, "--steps", 1, "--out", "grid.png")


def check_label_files():
    """A file says the labels of flat folders, as CelebA has it; what it names and is not there is said and counted."""
    faces("data", 8)
    rows = ["%s %d %d\n" % (name, 1 if k % 2 else -1, 1 if k > 5 else -1) for k, name in enumerate(images("data"))]
    write("attributes", ("9\nBald Young\n" + "".join(rows) + "other.png 1 1\n").encode())
    of_file = ["--batch-size", 4, "--val-share", 0, "--classes", 2, "--label-file", "attributes", "--label-attribute"]
    said = pretrain("data", "run", *of_file, "Young")
    assert "found 8 images below data, 2 labels (0, 1)\n" in said, said
    assert "attributes has labels for 9 images, of which 1 are not in data, the first other.png\n" in said, said
    labels = lambda run: [label for _, _, label, _ in json.loads(read(run + "/data.json"))["files"]]
    assert labels("run") == [0, 0, 0, 0, 0, 0, 1, 1], labels("run")
    pretrain("data", "bald", *of_file, "Bald")
    assert labels("bald") == [0, 1] * 4, labels("bald")
    maskdm("pretrain", "--data", "data", "--out", "run", *TINY, "--steps", 2, "--resume", *of_file, "Bald", status=1,
           says=["face-00001.png", "label"])
    for text, says in ((b"x.png 1\n", "it has labels for 1 images, the first x.png, and data has 8 others"),
                       (b"x.png cat dog\na.png 1\n", "attributes: line 2 has 2 fields")):
        write("attributes", text)
        maskdm("pretrain", "--data", "data", "--out", "bad", *TINY, "--steps", 1, "--label-file", "attributes", status=1,
               says=[says])


def sampled(out, label, *more, **expected):
    maskdm("sample", "--model", "run/model.safetensors", "--label", label, "--count", 3, "--steps", 1, "--no-metadata",
           "--out", out, *more, **expected)
    return read(out) if not expected else None


def check_by_name():
    for label in ("ape", "bee", "10", "2"):
        faces("data/" + label, 8)
    said = pretrain("data", "run", "--classes", "auto")
    assert "--classes auto: the data have 4 labels\n" in said, said
    assert json.loads(read("run/options.json"))["classes"] == 4
    pretrain("data", "run", "--classes", "auto", "--resume", "--steps", 2)
    assert sampled("a.png", "ape,bee") == sampled("b.png", "ape,3")
    said = maskdm("sample", "--model", "run/model.safetensors", "--label", 2, "--count", 1, "--steps", 1, "--out", "c.png")
    assert "--label 2 is a name: it is label 1\n" in said.stderr, said.stderr
    sampled("d.png", "ape,bat", status=1, says=["--label bat is none of the model's 4 labels: 10, 2, ape, bee"])
    sampled("d.png", "ape,4", status=1, says=["label 4 of image 1; the network has 4 classes"])
    pretrain("data", "plain")
    maskdm("sample", "--model", "plain/model.safetensors", "--label", "ape", "--out", "d2.png", status=1,
           says=["--label ape: the model was trained without labels"])
    maskdm("pretrain", "--data", "data", "--out", "no", *TINY, "--classes", "some", status=2,
           says=['--classes takes a whole number or auto, not "some"'])


def check_auto_without_labels():
    faces("data", 8)
    said = pretrain("data", "run", "--classes", "auto")
    assert "--classes auto: the data have 0 labels\n" in said, said


def check_held_out_by_name():
    """A folder of held-out images without the first label is not counted from 0."""
    for label in ("ape", "bee", "cat"):
        faces("data/" + label, 8)
    faces("val/cat", 4)
    pretrain("data", "run", "--classes", 3, "--val", "val")
    labels = [f[2] for f in json.loads(read("run/held_out.json"))["files"]]
    assert labels == [2] * 4, labels
    maskdm("evaluate", "--model", "run/model.safetensors", "--data", "val")
    faces("val/dog", 4)
    says = ["label dog of the held-out images is none of the data's: ape, bee, cat; the held-out images have cat, dog"]
    maskdm("pretrain", "--data", "data", "--out", "other", *TINY, "--steps", 1, "--classes", 3, "--val", "val", status=1,
           says=says)
    maskdm("evaluate", "--model", "run/model.safetensors", "--data", "val", status=1,
           says=["label dog of the data is none of the model's: "])


def check_finetune_by_name():
    for label in ("ape", "bee", "cat"):
        faces("data/" + label, 8)
    for label in ("cat", "dog"):
        faces("more/" + label, 8)
    pretrain("data", "run", "--classes", "auto")
    finetune = ["finetune", "--init", "run/model.safetensors", "--data", "more", "--batch-size", 8, "--threads", 1, "--steps", 1]
    maskdm(*finetune, "--out", "refused", status=1, says=[
        "the data have the label dog, and run/model.safetensors has ape, bee, cat; --classes auto makes a model of the data's "
        "labels"])
    maskdm(*finetune, "--out", "made", "--classes", "auto")
    told = json.loads(maskdm("info", "made/model.safetensors", "--json").stdout)["metadata"]["maskdm.labels"]
    assert json.loads(told) == ["cat", "dog"], told
    assert json.loads(read("made/transfer.json"))["classes"] == [2, 1], read("made/transfer.json")[:200]
    maskdm(*finetune, "--out", "made", "--classes", "auto", "--resume", "--steps", 2)


if __name__ == "__main__":
    main(globals())
