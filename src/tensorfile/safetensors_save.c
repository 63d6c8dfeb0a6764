/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Saving a tensor file: header, then every tensor's bytes straight from the caller's memory. The same calls give
 * the same bytes on every machine.
 */
#include "tensorfile/safetensors_private.h"

#include "base/endian.h"
#include "base/error.h"
#include "text/text.h"

#include <string.h>

enum { ALIGNMENT = 8, BUFFER = 8192 };

/* Hand the bytes of every tensor, as they stand in the file, to `take`. */
static int each_piece(const struct mdm_safetensors_writer *w, int (*take)(void *user, const void *bytes, size_t n),
                      void *user)
{
    unsigned char buffer[BUFFER];

    for (int64_t i = 0; i < w->file.count; i++) {
        const struct mdm_tensorfile_tensor *t = &w->file.tensor[i];
        const unsigned char *from = w->data[i];
        int size = mdm_tensorfile_dtype_find(t->dtype)->size;
        size_t left = (size_t)(t->end - t->begin), n;

        if (left && (mdm_host_is_little() || size == 1)) {
            MDM_TRY(take(user, from, left));
            continue;
        }
        for (; left; left -= n, from += n) {
            n = left < BUFFER ? left : BUFFER;
            memcpy(buffer, from, n);
            mdm_swap_le(buffer, size, n / (size_t)size);
            MDM_TRY(take(user, buffer, n));
        }
    }
    return MASKDM_OK;
}

static int take_digest(void *user, const void *bytes, size_t n)
{
    mdm_digest_add(user, bytes, n);
    return MASKDM_OK;
}

static int take_write(void *user, const void *bytes, size_t n)
{
    return mdm_writer_write(user, bytes, n);
}

static void add_entry(struct mdm_text *h, const char *key, const char *value)
{
    mdm_text_add(h, h->data[h->length - 1] == '{' ? "" : ",");
    mdm_text_add_json(h, key);
    mdm_text_add(h, ":");
    mdm_text_add_json(h, value);
}

/* With `digest`, room for one takes the place of any that was added under its key. */
static void add_metadata(struct mdm_text *h, const struct mdm_tensorfile *s, int digest)
{
    if (!s->meta_count && !digest)
        return;
    mdm_text_add(h, "\"" MDM_SAFETENSORS_META_KEY "\":{");
    for (int64_t i = 0; i < s->meta_count && !h->failed; i++)
        if (!digest || strcmp(s->meta[i].key, MDM_SAFETENSORS_DIGEST_KEY))
            add_entry(h, s->meta[i].key, s->meta[i].value);
    if (digest && !h->failed)
        add_entry(h, MDM_SAFETENSORS_DIGEST_KEY, MDM_SAFETENSORS_DIGEST_FORM MDM_SAFETENSORS_DIGEST_ZEROS);
    mdm_text_add(h, s->count ? "}," : "}");
}

static void add_tensor(struct mdm_text *h, const struct mdm_tensorfile_tensor *t)
{
    mdm_text_add_json(h, t->name);
    mdm_text_addf(h, ":{\"dtype\":\"%s\",\"shape\":[", t->dtype);
    for (int i = 0; i < t->rank; i++)
        mdm_text_addf(h, i ? ",%lld" : "%lld", (long long)t->shape[i]);
    mdm_text_addf(h, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)t->begin, (unsigned long long)t->end);
}

/* MDM_SAFETENSORS_LENGTH, JSON, and spaces until the data begins at a multiple of ALIGNMENT. */
static int make_header(struct mdm_text *h, const struct mdm_tensorfile *s, int digest)
{
    mdm_text_add_n(h, "\0\0\0\0\0\0\0", MDM_SAFETENSORS_LENGTH);
    mdm_text_add(h, "{");
    if (!h->failed)
        add_metadata(h, s, digest);
    for (int64_t i = 0; i < s->count && !h->failed; i++) {
        mdm_text_add(h, i ? "," : "");
        add_tensor(h, &s->tensor[i]);
    }
    mdm_text_add(h, "}");
    while (!h->failed && h->length % ALIGNMENT)
        mdm_text_add(h, " ");
    MDM_TRY(mdm_text_ok(h));
    if (h->length - MDM_SAFETENSORS_LENGTH > MDM_SAFETENSORS_HEADER)
        return mdm_fail(MASKDM_EINVAL, "a header of %zu bytes; at most %d are allowed",
                        h->length - MDM_SAFETENSORS_LENGTH, MDM_SAFETENSORS_HEADER);
    mdm_store_le(h->data, MDM_SAFETENSORS_LENGTH, h->length - MDM_SAFETENSORS_LENGTH);
    return MASKDM_OK;
}

/* The digest of the file that this header and the tensors make, into the header. */
static int fill_digest(const struct mdm_safetensors_writer *w, struct mdm_text *header)
{
    const size_t digits = mdm_safetensors_digest_at(header->data, header->length);
    struct mdm_digest d;
    char text[MDM_SAFETENSORS_DIGITS + 1];

    mdm_safetensors_digest_start(&d, header->data, header->length, digits);
    MDM_TRY(each_piece(w, take_digest, &d));
    mdm_digest_text(&d, text);
    memcpy(header->data + digits, text, MDM_SAFETENSORS_DIGITS);
    return MASKDM_OK;
}

static int write_file(struct mdm_safetensors_writer *w, const char *path, const struct mdm_text *header)
{
    struct mdm_writer *file;
    int err;

    MDM_TRY(mdm_writer_open(&file, path));
    err = mdm_writer_write(file, header->data, header->length);
    if (!err)
        err = each_piece(w, take_write, file);
    if (!err)
        return mdm_writer_commit(&file);
    mdm_writer_abandon(&file);
    return err;
}

int mdm_safetensors_writer_save(struct mdm_safetensors_writer *w, const char *path, int digest)
{
    struct mdm_text header = {0};
    int err = make_header(&header, &w->file, digest);

    if (!err && digest)
        err = fill_digest(w, &header);
    if (!err)
        err = write_file(w, path, &header);
    mdm_text_free(&header);
    return err;
}
