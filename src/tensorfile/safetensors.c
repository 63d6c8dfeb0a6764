/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading a safetensors file: the whole header is judged before anything is believed, and memory is taken only for
 * what the file holds.
 */
#include "tensorfile/safetensors_private.h"

#include "base/alloc.h"
#include "base/endian.h"
#include "base/error.h"
#include "tensorfile/foreign.h"

/* Whether the file begins as every tensor file of some use does: a length and "{". */
static int looks_right(struct mdm_tensorfile *s, uint64_t *length, int *status)
{
    unsigned char bytes[MDM_SAFETENSORS_LENGTH + 1] = {0};
    const size_t n = s->size < sizeof bytes ? (size_t)s->size : sizeof bytes;

    *status = mdm_tensorfile_bytes_at(s, bytes, n, 0);
    *length = mdm_load_le(bytes, MDM_SAFETENSORS_LENGTH);
    return *status == MASKDM_OK && bytes[MDM_SAFETENSORS_LENGTH] == '{' && *length <= MDM_SAFETENSORS_HEADER;
}

/* The header's place: MDM_SAFETENSORS_LENGTH, its length, and the rest of the file is data. */
static int measure_header(struct mdm_tensorfile *s)
{
    uint64_t n;
    int status;

    if (!looks_right(s, &n, &status)) {
        MDM_TRY(status);
        MDM_TRY(mdm_foreign_refuse(s));
    }
    if (s->size < MDM_SAFETENSORS_LENGTH)
        return mdm_fail(MASKDM_EFORMAT, "%s: a tensor file has at least %d bytes, this one %llu",
                        mdm_tensorfile_label(s), MDM_SAFETENSORS_LENGTH, (unsigned long long)s->size);
    if (n > s->size - MDM_SAFETENSORS_LENGTH)
        return mdm_fail(MASKDM_EFORMAT, "%s: the header is said to have %llu bytes, but only %llu follow",
                        mdm_tensorfile_label(s), (unsigned long long)n,
                        (unsigned long long)(s->size - MDM_SAFETENSORS_LENGTH));
    if (n > MDM_SAFETENSORS_HEADER)
        return mdm_fail(MASKDM_EFORMAT, "%s: the header has %llu bytes; at most %d are allowed",
                        mdm_tensorfile_label(s), (unsigned long long)n, MDM_SAFETENSORS_HEADER);
    s->data_at = MDM_SAFETENSORS_LENGTH + n;
    return MASKDM_OK;
}

/* `head`: the length and the header, `total` bytes from the start of the file. */
static int judge(struct mdm_tensorfile *s, const char *head, size_t total)
{
    int err = mdm_safetensors_parse(s, head + MDM_SAFETENSORS_LENGTH, total - MDM_SAFETENSORS_LENGTH);

    if (!err)
        err = mdm_safetensors_check(s, s->size - s->data_at);
    if (err)
        return mdm_fail_prefix(err, "%s", mdm_tensorfile_label(s));
    mdm_safetensors_digest_head(s, head, total);
    return MASKDM_OK;
}

int mdm_safetensors_read(struct mdm_tensorfile *s)
{
    char *head;
    size_t total;
    int err;

    MDM_TRY(measure_header(s));
    total = (size_t)s->data_at;
    if (!s->reader)
        return judge(s, (const char *)s->memory, total);
    head = mdm_malloc(total);
    if (!head)
        return mdm_fail_memory(total, "the header of a tensor file");
    err = mdm_tensorfile_bytes_at(s, head, total, 0);
    if (!err)
        err = judge(s, head, total);
    mdm_free(head);
    return err;
}

int mdm_safetensors_open(struct mdm_tensorfile *out, const char *path)
{
    return mdm_tensorfile_open_as(out, path, mdm_safetensors_read);
}

int mdm_safetensors_open_memory(struct mdm_tensorfile *out, const void *bytes, size_t size)
{
    return mdm_tensorfile_open_memory_as(out, bytes, size, mdm_safetensors_read);
}
