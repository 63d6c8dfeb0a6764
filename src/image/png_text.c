/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Text chunks; see png_text.h. They are found in the file's bytes, as EXIF is, and not by libpng, which would inflate
 * and keep all of them.
 */
#include "image/png_text.h"

#include "base/crc32.h"
#include "base/format.h"
#include "text/text.h"

#include <string.h>

enum {
    SIGNATURE = 8,
    CHUNK = 12,  /* bytes of a chunk beside its data: length, name, checksum */
    HEADER = 13, /* of IHDR */
    KEY = 79,    /* most bytes of a key */
    FLAGS = 2    /* of an iTXt: whether it is compressed, and how */
};

int mdm_png_is(const void *bytes, size_t size)
{
    return size >= SIGNATURE && !memcmp(bytes, "\211PNG\r\n\032\n", SIGNATURE);
}

static size_t read_u32(const unsigned char *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

/* Bytes up to a NUL, n where there is none. */
static size_t length(const unsigned char *at, size_t n)
{
    const unsigned char *end = memchr(at, 0, n);

    return end ? (size_t)(end - at) : n;
}

/* Keys are printable Latin-1 without blanks at the ends; those beyond ASCII nobody writes. */
static int is_key(const unsigned char *key, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (key[i] < 0x20 || key[i] > 0x7e)
            return 0;
    return n >= 1 && n <= KEY && key[0] != ' ' && key[n - 1] != ' ';
}

static void add_latin1(struct mdm_text *t, const unsigned char *at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char two[2] = {(char)(0xc0 | at[i] >> 6), (char)(0x80 | (at[i] & 0x3f))};

        if (at[i] < 0x80)
            mdm_text_add_n(t, (const char *)at + i, 1);
        else
            mdm_text_add_n(t, two, sizeof two);
    }
}

static void add_utf8(struct mdm_text *t, const unsigned char *at, size_t n)
{
    for (size_t i = 0; i < n;) {
        const int bytes = mdm_utf8_length((const char *)at + i, n - i);

        mdm_text_add_n(t, bytes ? (const char *)at + i : "\xef\xbf\xbd", bytes ? (size_t)bytes : 3);
        i += bytes ? (size_t)bytes : 1;
    }
}

/* Behind the key of an iTXt: flags, a language and a key in that language, each up to a NUL, which nobody asks for.
 */
static int enter_international(const unsigned char **at, size_t *n)
{
    if (*n < FLAGS || (*at)[0])
        return 0;
    *at += FLAGS;
    *n -= FLAGS;
    for (int i = 0; i < 2; i++) {
        const size_t skip = length(*at, *n);

        if (skip == *n)
            return 0;
        *at += skip + 1;
        *n -= skip + 1;
    }
    return 1;
}

struct reading {
    mdm_png_text_call call;
    void *user;
    struct mdm_text text;
};

/* The data of a chunk, n bytes. */
static int read_text(struct reading *r, int international, const unsigned char *at, size_t n)
{
    const size_t keys = length(at, n);
    char key[KEY + 1] = "";

    if (keys == n || !is_key(at, keys))
        return MASKDM_OK;
    memcpy(key, at, keys);
    at += keys + 1;
    n -= keys + 1;
    if (international && !enter_international(&at, &n))
        return MASKDM_OK;
    n = length(at, n);
    r->text.length = 0;
    mdm_text_add(&r->text, "");
    if (international)
        add_utf8(&r->text, at, n);
    else
        add_latin1(&r->text, at, n);
    MDM_TRY(mdm_text_ok(&r->text));
    return r->call(r->user, key, r->text.data);
}

static int read_texts(struct reading *r, const unsigned char *bytes, size_t size)
{
    struct mdm_crc32 crc;
    size_t n;
    int status = MASKDM_OK;

    mdm_crc32_prepare(&crc);
    for (size_t at = SIGNATURE; size - at >= CHUNK && !status; at += CHUNK + n) {
        const unsigned char *chunk = bytes + at;
        int international;

        n = read_u32(chunk);
        if (n > size - at - CHUNK || !memcmp(chunk + 4, "IEND", 4))
            break;
        international = !memcmp(chunk + 4, "iTXt", 4);
        if ((international || !memcmp(chunk + 4, "tEXt", 4)) &&
            mdm_crc32_add(&crc, 0, chunk + 4, 4 + n) == read_u32(chunk + 8 + n))
            status = read_text(r, international, chunk + 8, n);
    }
    return status;
}

int mdm_png_texts(const void *bytes, size_t size, mdm_png_text_call call, void *user)
{
    struct reading r = {.call = call, .user = user};
    int status;

    if (!mdm_png_is(bytes, size))
        return mdm_fail(MASKDM_EFORMAT, "no PNG file");
    status = read_texts(&r, bytes, size);
    mdm_text_free(&r.text);
    return status;
}

int mdm_png_header(const void *bytes, size_t size, int64_t *height, int64_t *width, int *channels, int *bits)
{
    static const unsigned char of_type[] = {1, 0, 3, 1, 2, 0, 4};
    const unsigned char *chunk = (const unsigned char *)bytes + SIGNATURE, *body = chunk + 8;

    if (!mdm_png_is(bytes, size) || size - SIGNATURE < CHUNK + HEADER || read_u32(chunk) != HEADER ||
        memcmp(chunk + 4, "IHDR", 4) != 0 || body[9] >= sizeof of_type || !of_type[body[9]])
        return mdm_fail(MASKDM_EFORMAT, "no header of a PNG file");
    *width = (int64_t)read_u32(body);
    *height = (int64_t)read_u32(body + 4);
    *bits = body[8];
    *channels = of_type[body[9]];
    return MASKDM_OK;
}
