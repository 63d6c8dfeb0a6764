/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Saving a tensor file: header, then every tensor's bytes straight from the caller's memory. The same calls give
 * the same bytes on every machine.
 */
#include "io/safetensors_private.h"

#include "util/endian.h"
#include "util/error.h"
#include "util/json.h"

#include <string.h>

enum { ALIGNMENT = 8, BUFFER = 8192 };

/* Hand the bytes of every tensor, as they stand in the file, to `take`. */
static int each_piece(const struct maskdm_st_writer *w, int (*take)(void *user, const void *bytes, size_t n),
                      void *user)
{
    unsigned char buffer[BUFFER];

    for (int64_t i = 0; i < w->st.count; i++) {
        const struct maskdm_st_tensor *t = &w->st.tensor[i];
        const unsigned char *from = w->data[i];
        int size = maskdm_st_dtype_find(t->dtype)->size;
        size_t left = (size_t)(t->end - t->begin), n;

        if (left && (maskdm_host_is_little() || size == 1)) {
            MASKDM_TRY(take(user, from, left));
            continue;
        }
        for (; left; left -= n, from += n) {
            n = left < BUFFER ? left : BUFFER;
            memcpy(buffer, from, n);
            maskdm_swap_le(buffer, size, n / (size_t)size);
            MASKDM_TRY(take(user, buffer, n));
        }
    }
    return MASKDM_OK;
}

static int take_digest(void *user, const void *bytes, size_t n)
{
    maskdm_digest_add(user, bytes, n);
    return MASKDM_OK;
}

static int take_write(void *user, const void *bytes, size_t n)
{
    return maskdm_writer_write(user, bytes, n);
}

static void add_entry(struct maskdm_text *h, const char *key, const char *value)
{
    maskdm_text_add(h, h->data[h->length - 1] == '{' ? "" : ",");
    maskdm_text_add_json(h, key);
    maskdm_text_add(h, ":");
    maskdm_text_add_json(h, value);
}

/* With `digest`, room for one takes the place of any that was added under its key. */
static void add_metadata(struct maskdm_text *h, const struct maskdm_st *s, int digest)
{
    if (!s->meta_count && !digest)
        return;
    maskdm_text_add(h, "\"" MASKDM_ST_META_KEY "\":{");
    for (int64_t i = 0; i < s->meta_count && !h->failed; i++)
        if (!digest || strcmp(s->meta[i].key, MASKDM_ST_DIGEST_KEY))
            add_entry(h, s->meta[i].key, s->meta[i].value);
    if (digest && !h->failed)
        add_entry(h, MASKDM_ST_DIGEST_KEY, MASKDM_ST_DIGEST_FORM MASKDM_ST_DIGEST_ZEROS);
    maskdm_text_add(h, s->count ? "}," : "}");
}

static void add_tensor(struct maskdm_text *h, const struct maskdm_st_tensor *t)
{
    maskdm_text_add_json(h, t->name);
    maskdm_text_addf(h, ":{\"dtype\":\"%s\",\"shape\":[", t->dtype);
    for (int i = 0; i < t->rank; i++)
        maskdm_text_addf(h, i ? ",%lld" : "%lld", (long long)t->shape[i]);
    maskdm_text_addf(h, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)t->begin, (unsigned long long)t->end);
}

/* MASKDM_ST_LENGTH, JSON, and spaces until the data begins at a multiple of ALIGNMENT. */
static int make_header(struct maskdm_text *h, const struct maskdm_st *s, int digest)
{
    maskdm_text_add_n(h, "\0\0\0\0\0\0\0", MASKDM_ST_LENGTH);
    maskdm_text_add(h, "{");
    if (!h->failed)
        add_metadata(h, s, digest);
    for (int64_t i = 0; i < s->count && !h->failed; i++) {
        maskdm_text_add(h, i ? "," : "");
        add_tensor(h, &s->tensor[i]);
    }
    maskdm_text_add(h, "}");
    while (!h->failed && h->length % ALIGNMENT)
        maskdm_text_add(h, " ");
    MASKDM_TRY(maskdm_text_ok(h));
    if (h->length - MASKDM_ST_LENGTH > MASKDM_ST_HEADER)
        return maskdm_fail(MASKDM_EINVAL, "a header of %zu bytes; at most %d are allowed",
                           h->length - MASKDM_ST_LENGTH, MASKDM_ST_HEADER);
    maskdm_store_le(h->data, MASKDM_ST_LENGTH, h->length - MASKDM_ST_LENGTH);
    return MASKDM_OK;
}

/* The digest of the file that this header and the tensors make, into the header. */
static int fill_digest(const struct maskdm_st_writer *w, struct maskdm_text *header)
{
    const size_t digits = maskdm_st_digest_at(header->data, header->length);
    struct maskdm_digest d;
    char text[MASKDM_ST_DIGITS + 1];

    maskdm_st_digest_start(&d, header->data, header->length, digits);
    MASKDM_TRY(each_piece(w, take_digest, &d));
    maskdm_digest_text(&d, text);
    memcpy(header->data + digits, text, MASKDM_ST_DIGITS);
    return MASKDM_OK;
}

static int write_file(struct maskdm_st_writer *w, const char *path, const struct maskdm_text *header)
{
    struct maskdm_writer *file;
    int err;

    MASKDM_TRY(maskdm_writer_open(&file, path));
    err = maskdm_writer_write(file, header->data, header->length);
    if (!err)
        err = each_piece(w, take_write, file);
    if (!err)
        return maskdm_writer_commit(&file);
    maskdm_writer_abandon(&file);
    return err;
}

int maskdm_st_writer_save(struct maskdm_st_writer *w, const char *path, int digest)
{
    struct maskdm_text header = {0};
    int err = make_header(&header, &w->st, digest);

    if (!err && digest)
        err = fill_digest(w, &header);
    if (!err)
        err = write_file(w, path, &header);
    maskdm_text_free(&header);
    return err;
}
