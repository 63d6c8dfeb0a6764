/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Formats of tensor files, told by their first bytes. A new one is a row.
 */
#include "tensorfile/npz.h"
#include "tensorfile/safetensors.h"
#include "tensorfile/tensorfile_private.h"
#include "tensorfile/torch.h"

#include "base/error.h"

#include <string.h>

/* A file that begins with these bytes is its reader's to judge. */
static const struct format {
    const char *magic;
    size_t length;
    int (*read)(struct mdm_tensorfile *s);
} formats[] = {
    {"PK\3\4", 4, mdm_archive_read}, /* a zip archive's first entry */
    {"\x93NUMPY", 6, mdm_npy_read},
    {"", 0, mdm_safetensors_read}, /* has none, and says of anything else what it is */
};
enum { HEAD = 16 };

static int read_any(struct mdm_tensorfile *s)
{
    unsigned char head[HEAD] = {0};
    const size_t n = s->size < HEAD ? (size_t)s->size : HEAD;
    const struct format *f = formats;

    MDM_TRY(mdm_tensorfile_bytes_at(s, head, n, 0));
    while (f->length > n || memcmp(head, f->magic, f->length))
        f++;
    return f->read(s);
}

int mdm_tensorfile_open(struct mdm_tensorfile *out, const char *path)
{
    return mdm_tensorfile_open_as(out, path, read_any);
}

int mdm_tensorfile_open_memory(struct mdm_tensorfile *out, const void *bytes, size_t size)
{
    return mdm_tensorfile_open_memory_as(out, bytes, size, read_any);
}
