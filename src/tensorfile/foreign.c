/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kinds of files, told by their first bytes. Only a file that cannot be a tensor file, or a picture, is looked at, so
 * that no first byte is taken from those.
 */
#include "tensorfile/foreign.h"

#include "tensorfile/tensorfile_private.h"

#include "base/error.h"

#include <string.h>

enum { HEAD = MDM_FOREIGN_HEAD, QUOTED = 40, LEAST = 16 };    /* LEAST: zeros that mean something */

struct head {
    const unsigned char *byte;
    size_t n;
};

/* A kind is told by bytes at a place, or by a function. */
struct kind {
    size_t at;
    const char *magic;
    size_t length;
    int (*is)(const struct head *h);
    struct mdm_foreign f;
};
#define BYTES(text) text, sizeof text - 1, NULL

static int begins(const struct head *h, size_t at, const char *magic, size_t length)
{
    return h->n >= at + length && memcmp(h->byte + at, magic, length) == 0;
}

static int is_zero(const struct head *h)
{
    size_t zeros = 0;

    while (zeros < h->n && !h->byte[zeros])
        zeros++;
    return zeros == h->n && zeros >= LEAST;
}

/* Nothing but characters and blanks; the last character may be cut. */
static int is_text(const struct head *h)
{
    for (size_t i = 0; i < h->n;) {
        const unsigned char c = h->byte[i];
        const int length = mdm_utf8_length((const char *)h->byte + i, h->n - i);

        if (c == 0x7f || (c < 0x20 && !strchr("\t\n\f\r", c)) || !c)
            return 0;
        if (!length)
            return h->n == HEAD && i + 4 > h->n;
        i += (size_t)length;
    }
    return 1;
}

/* Where text begins behind a byte order mark and blanks. */
static const char *beginning(const struct head *h, size_t *left)
{
    size_t at = begins(h, 0, "\xef\xbb\xbf", 3) ? 3 : 0;

    while (at < h->n && h->byte[at] && strchr(" \t\r\n", h->byte[at]))
        at++;
    *left = h->n - at;
    return (const char *)h->byte + at;
}

static int text_begins(const struct head *h, const char *word)
{
    const size_t n = strlen(word);
    size_t left, same = 0;
    const char *text = beginning(h, &left);

    while (same < n && same < left && (text[same] | (text[same] >= 'A' && text[same] <= 'Z' ? 32 : 0)) == word[same])
        same++;
    return same == n && is_text(h);
}

static int is_html(const struct head *h)
{
    return text_begins(h, "<!doctype html") || text_begins(h, "<html") || text_begins(h, "<head");
}

static int is_xml(const struct head *h)
{
    return text_begins(h, "<");
}

static int is_json(const struct head *h)
{
    return text_begins(h, "{") || text_begins(h, "[");
}

/* Field 1, the version of the format, and field 2, the name of the program that wrote it. */
static int is_onnx(const struct head *h)
{
    return h->n > 5 && h->byte[0] == 8 && h->byte[1] < 32 && h->byte[2] == 0x12 && h->byte[3] < 64 &&
           h->byte[4] >= 'A' && h->byte[4] <= 'z';
}

/* The name of the archive's first entry ends so. */
static int is_npz(const struct head *h)
{
    const size_t name = h->n > 30 ? h->byte[26] + 256u * h->byte[27] : 0;

    return begins(h, 0, "PK\3\4", 4) && name > 4 && 30 + name <= h->n && begins(h, 26 + name, ".npy", 4);
}

static const char unpack[] = "unpack it first";
static const char save_anew[] = "load it with torch.load and write it anew with torch.save of PyTorch 1.6 or later";

static const struct kind kinds[] = {
    {.is = is_zero, .f = {"filled with zeros", "a download or copy of it was cut short", 0}},
    {0, BYTES("version https://git-lfs"), {"a Git LFS pointer", "\"git lfs pull\" fetches the file in its place", 0}},
    {.is = is_html, .f = {"an HTML page", "a download brought a web page in place of the file", 0}},
    {.is = is_xml, .f = {"XML text", "a download may have brought a message in place of the file", 0}},
    {.is = is_json, .f = {"JSON text", "weights are kept in other files", 0}},
    {0, BYTES("\x1f\x8b"), {"a gzip archive", unpack, 0}},
    {0, BYTES("\x28\xb5\x2f\xfd"), {"a zstd archive", unpack, 0}},
    {0, BYTES("\xfd" "7zXZ"), {"an xz archive", unpack, 0}},
    {0, BYTES("BZh"), {"a bzip2 archive", unpack, 0}},
    {0, BYTES("\x04\x22\x4d\x18"), {"an lz4 archive", unpack, 0}},
    {0, BYTES("7z\xbc\xaf\x27\x1c"), {"a 7z archive", unpack, 0}},
    {0, BYTES("Rar!\x1a\x07"), {"a RAR archive", unpack, 0}},
    {257, BYTES("ustar"), {"a tar archive",
     "unpack it first, or, where PyTorch wrote it, load it with torch.load and write it anew with torch.save", 0}},
    {0, BYTES("\x89PNG\r\n\x1a\n"), {"a PNG picture", NULL, 0}},
    {0, BYTES("\xff\xd8\xff"), {"a JPEG picture", NULL, 0}},
    {0, BYTES("GIF8"), {"a GIF picture", NULL, 0}},
    {8, BYTES("WEBP"), {"a WebP picture", NULL, 0}},
    {0, BYTES("BM"), {"a BMP picture", NULL, 0}},
    {0, BYTES("II*\0"), {"a TIFF picture", NULL, 0}},
    {0, BYTES("MM\0*"), {"a TIFF picture", NULL, 0}},
    {0, BYTES("\xff\x0a"), {"a JPEG XL picture", NULL, 0}},
    {4, BYTES("JXL "), {"a JPEG XL picture", NULL, 0}},
    {4, BYTES("ftypavif"), {"an AVIF picture", NULL, 0}},
    {4, BYTES("ftyphe"), {"a HEIC picture", NULL, 0}},
    {4, BYTES("ftypmif1"), {"a HEIC picture", NULL, 0}},
    {4, BYTES("ftyp"), {"a video or picture", NULL, 0}},
    {0, BYTES("%PDF-"), {"a PDF document", NULL, 0}},
    {0, BYTES("\x7f" "ELF"), {"a program or library", NULL, 0}},
    {0, BYTES("MZ"), {"a program or library", NULL, 0}},
    {0, BYTES("GGUF"), {"a GGUF file", NULL, 0}},
    {0, BYTES("\x89HDF\r\n\x1a\n"), {"an HDF5 file, such as Keras writes", NULL, 0}},
    {0, BYTES("\x93NUMPY"), {"a NumPy array", NULL, 0}},
    {.is = is_npz, .f = {"a NumPy archive", NULL, 0}},
    {.is = is_onnx, .f = {"an ONNX file", NULL, 0}},
    {4, BYTES("TFL3"), {"a TensorFlow Lite file", NULL, 0}},
    {0, BYTES("SQLite format 3"), {"an SQLite database", NULL, 0}},
    {0, BYTES("PAR1"), {"a Parquet table", NULL, 0}},
    {0, BYTES("\0\x05\x16\x07"), {"an AppleDouble file", "the file itself has this name without \"._\" in front", 0}},
    /* torch.save before 1.6 begins with this number, behind the pickle's protocol. */
    {2, BYTES("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"),
     {"a PyTorch checkpoint of the format before 1.6", save_anew, 0}},
    {0, BYTES("\x80\2"), {"a Python pickle", save_anew, 0}},
    {0, BYTES("\x80\3"), {"a Python pickle", save_anew, 0}},
    {0, BYTES("\x80\4"), {"a Python pickle", save_anew, 0}},
    {0, BYTES("\x80\5"), {"a Python pickle", save_anew, 0}},
    {0, BYTES("PK\3\4"), {"a zip archive", "of a PyTorch checkpoint, maskdm convert makes a model file", 0}},
    {.is = is_text, .f = {"text", NULL, 1}},
};

/* The first words of text, which may be an error message: ' that begins "..."'. */
static void quote(char out[QUOTED + 32], const struct head *h)
{
    size_t left, n = 0;
    const char *text = beginning(h, &left);

    while (n < QUOTED && n < left && text[n] >= 0x20 && text[n] < 0x7f)
        n++;
    mdm_format(out, QUOTED + 32, n ? " that begins \"%.*s\"" : "", (int)n, text);
}

int mdm_foreign_is_npz(const void *bytes, size_t n)
{
    const struct head h = {bytes, n};

    return is_npz(&h);
}

const struct mdm_foreign *mdm_foreign_find(const void *bytes, size_t n)
{
    const struct head h = {bytes, n < HEAD ? n : HEAD};

    for (size_t i = 0; i < MDM_LENGTH(kinds); i++) {
        const struct kind *k = &kinds[i];

        if (k->is ? k->is(&h) : begins(&h, k->at, k->magic, k->length))
            return &k->f;
    }
    return NULL;
}

int mdm_foreign_refuse(struct mdm_tensorfile *s)
{
    unsigned char byte[HEAD];
    const struct head h = {byte, s->size < HEAD ? (size_t)s->size : HEAD};
    const struct mdm_foreign *f;
    char words[QUOTED + 32] = "";

    if (!s->size)
        return mdm_fail(MASKDM_EFORMAT, "%s is empty", mdm_tensorfile_label(s));
    MDM_TRY(mdm_tensorfile_bytes_at(s, byte, h.n, 0));
    f = mdm_foreign_find(byte, h.n);
    if (!f)
        return MASKDM_OK;
    if (f->is_text)
        quote(words, &h);
    return mdm_fail(MASKDM_EFORMAT, "%s is %s%s (%llu bytes), not a model or checkpoint that can be read%s%s",
                    mdm_tensorfile_label(s), f->what, words, (unsigned long long)s->size, f->advice ? "; " : "",
                    f->advice ? f->advice : "");
}
