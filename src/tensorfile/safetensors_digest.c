/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The digest of a whole tensor file. It stands in the header that it covers: its own digits count as zeros.
 */
#include "tensorfile/safetensors_private.h"

#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

enum { CHUNK = 1 << 18, DIGITS = MDM_SAFETENSORS_DIGITS };
static const char form[] = "\"" MDM_SAFETENSORS_DIGEST_KEY "\":\"" MDM_SAFETENSORS_DIGEST_FORM;

static size_t count_digits(const char *text, size_t n)
{
    size_t i = 0;

    while (i < n && ((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
        i++;
    return i;
}

/* Inside a JSON string quotes are escaped, so that these bytes can only be the key and its value. */
size_t mdm_safetensors_digest_at(const char *head, size_t total)
{
    const size_t before = sizeof form - 1;
    const char *at = head + MDM_SAFETENSORS_LENGTH;

    while ((at = memchr(at, '"', total - (size_t)(at - head)))) {
        const size_t left = total - (size_t)(at - head);

        if (left <= before + DIGITS)
            break;
        if (memcmp(at, form, before) == 0 && count_digits(at + before, DIGITS + 1) == DIGITS)
            return (size_t)(at - head) + before;
        at++;
    }
    return 0;
}

void mdm_safetensors_digest_start(struct mdm_digest *d, const char *head, size_t total, size_t digits)
{
    mdm_digest_start(d);
    mdm_digest_add(d, head, digits);
    mdm_digest_add(d, MDM_SAFETENSORS_DIGEST_ZEROS, DIGITS);
    mdm_digest_add(d, head + digits + DIGITS, total - digits - DIGITS);
}

void mdm_safetensors_digest_head(struct mdm_tensorfile *s, const char *head, size_t total)
{
    const size_t digits = mdm_safetensors_digest_at(head, total);

    s->has_digest = digits > 0;
    if (digits)
        mdm_safetensors_digest_start(&s->head, head, total, digits);
}

static int digest_data(struct mdm_tensorfile *s, struct mdm_digest *d)
{
    uint64_t left = s->size - s->data_at, at = s->data_at;
    const size_t most = left < CHUNK ? (size_t)left + 1 : CHUNK;
    unsigned char *chunk = mdm_malloc(most);
    int err = chunk ? MASKDM_OK : mdm_fail_memory(most, "reading a tensor file");

    while (left && !err) {
        size_t n = left < most ? (size_t)left : most;
        err = mdm_tensorfile_bytes_at(s, chunk, n, at);
        if (!err)
            mdm_digest_add(d, chunk, n);
        at += n;
        left -= n;
    }
    mdm_free(chunk);
    return err;
}

int mdm_safetensors_verify(struct mdm_tensorfile *s)
{
    const char *stated = mdm_tensorfile_meta(s, MDM_SAFETENSORS_DIGEST_KEY);
    struct mdm_digest d = s->head;
    char found[DIGITS + 1];

    if (!stated)
        return mdm_fail(MASKDM_EFORMAT, "there is no digest in its metadata");
    if (!s->has_digest && strlen(stated) == DIGITS && count_digits(stated, DIGITS) == DIGITS)
        return mdm_fail(MASKDM_EVERSION, "an earlier version of libmaskdm wrote it, whose digest covers the tensors "
                                         "alone; only files whose digest covers the header too are read");
    if (!s->has_digest)
        return mdm_fail(MASKDM_EFORMAT,
                        "its digest is \"%.40s\", not \"" MDM_SAFETENSORS_DIGEST_FORM "\" and %d digits", stated,
                        DIGITS);
    MDM_TRY(digest_data(s, &d));
    mdm_digest_text(&d, found);
    stated += sizeof MDM_SAFETENSORS_DIGEST_FORM - 1;
    if (strcmp(stated, found))
        return mdm_fail(MASKDM_EFORMAT, "it is damaged: its bytes have digest %s instead of %.40s", found, stated);
    return MASKDM_OK;
}
