/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Image formats, told apart by their first bytes. A new one is a row.
 */
#include "image/codec.h"
#include "image/rows.h"
#include "tensorfile/foreign.h"

#include <string.h>

static const struct {
    const char *magic;
    size_t length;
    const char *form; /* of what a RIFF file holds, behind its size; NULL: it is none */
    int (*open)(struct mdm_rows **out, const unsigned char *bytes, size_t size, const struct mdm_reading *how);
} formats[] = {
    {"\x89PNG\r\n\x1a\n", 8, NULL, mdm_rows_open_png},
    {"\xff\xd8", 2, NULL, mdm_rows_open_jpeg},
    {"RIFF", 4, "WEBP", mdm_rows_open_webp},
};

enum { FORM = 8 };

static int is_format(size_t i, const void *bytes, size_t size)
{
    const char *form = formats[i].form, *b = bytes;

    return size >= formats[i].length && memcmp(b, formats[i].magic, formats[i].length) == 0 &&
           (!form || (size >= FORM + 4 && memcmp(b + FORM, form, 4) == 0));
}

static int find_format(size_t *out, const void *bytes, size_t size)
{
    const struct mdm_foreign *foreign;

    for (size_t i = 0; i < MDM_LENGTH(formats); i++)
        if (is_format(i, bytes, size)) {
            *out = i;
            return MASKDM_OK;
        }
    if (!size)
        return mdm_fail(MASKDM_EFORMAT, "the file is empty");
    foreign = mdm_foreign_find(bytes, size);
    return mdm_fail(MASKDM_EFORMAT, "neither PNG, JPEG nor WebP%s%s", foreign ? ", but " : "",
                    foreign ? foreign->what : "");
}

int mdm_rows_probe(const void *bytes, size_t size)
{
    size_t format;

    return find_format(&format, bytes, size);
}

int mdm_rows_open(struct mdm_rows **out, const void *bytes, size_t size, const struct mdm_reading *how)
{
    size_t format = 0;
    int r;

    *out = NULL;
    MDM_TRY(find_format(&format, bytes, size));
    r = formats[format].open(out, bytes, size, how);
    if (r >= 0)
        r = mdm_rows_turn(out);
    if (r < 0)
        mdm_rows_close(out);
    return r;
}
