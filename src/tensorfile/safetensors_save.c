/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Saving a tensor file: header, then every tensor's bytes from where the caller has them. The same calls give
 * the same bytes on every machine.
 */
#include "tensorfile/safetensors_private.h"

#include "base/alloc.h"
#include "base/endian.h"
#include "base/error.h"
#include "text/text.h"

#include <string.h>

enum { ALIGNMENT = 8, BUFFER = 1 << 18 };

static int read_memory(void *user, void *out, const void *data, size_t bytes)
{
    (void)user;
    memcpy(out, data, bytes);
    return MASKDM_OK;
}

typedef int (*take_bytes)(void *user, const void *bytes, size_t n);

/* Straight from the host's memory where its bytes are those of the file. */
static int each_piece_of(const struct mdm_tensorfile_tensor *t, const struct mdm_safetensors_data *data,
                         unsigned char *buffer, take_bytes take, void *user)
{
    static const struct mdm_tensorfile_source memory = {read_memory, NULL};
    const struct mdm_tensorfile_source *source = data->source ? data->source : &memory;
    const unsigned char *from = data->at;
    int size = mdm_tensorfile_dtype_find(t->dtype)->size, swap = !mdm_host_is_little() && size > 1;
    size_t left = (size_t)(t->end - t->begin), n;

    if (left && !data->source && !swap)
        return take(user, from, left);
    for (; left; left -= n, from += n) {
        n = left < BUFFER ? left : BUFFER;
        MDM_TRY(source->read(source->user, buffer, from, n));
        if (swap)
            mdm_swap_le(buffer, size, n / (size_t)size);
        MDM_TRY(take(user, buffer, n));
    }
    return MASKDM_OK;
}

/* Hand the bytes of every tensor, as they stand in the file, to `take`. */
static int each_piece(const struct mdm_safetensors_writer *w, take_bytes take, void *user)
{
    unsigned char *buffer = mdm_need_aligned(BUFFER, "writing a tensor file");
    int err = buffer ? MASKDM_OK : MASKDM_ENOMEM;

    for (int64_t i = 0; i < w->file.count && !err; i++)
        err = each_piece_of(&w->file.tensor[i], &w->data[i], buffer, take, user);
    mdm_free(buffer);
    return err;
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

struct sink {
    maskdm_write_callback write;
    void *user;
    uint64_t at; /* bytes that the host has */
};

static int take_give(void *user, const void *bytes, size_t n)
{
    struct sink *s = user;

    if (s->write(s->user, bytes, n))
        return mdm_fail(MASKDM_ECANCELED, "the host's write function stopped at byte %llu",
                        (unsigned long long)s->at);
    s->at += n;
    return MASKDM_OK;
}

int mdm_safetensors_writer_save_to(struct mdm_safetensors_writer *w, maskdm_write_callback write, void *user)
{
    struct sink sink = {write, user, 0};
    struct mdm_text header = {0};
    int err = make_header(&header, &w->file, 0);

    if (!err)
        err = take_give(&sink, header.data, header.length);
    if (!err)
        err = each_piece(w, take_give, &sink);
    mdm_text_free(&header);
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
