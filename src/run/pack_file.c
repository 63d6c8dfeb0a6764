/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A packed file (doc/formats.md) is a safetensors file of "images", "labels" and "names", the images from a page's
 * beginning on.
 */
#include "run/pack.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/endian.h"
#include "base/error.h"
#include "data/packed.h"
#include "model/labels.h"
#include "os/file.h"
#include "text/text.h"

#include <string.h>

enum { LENGTH = 8, PAGE = 4096, FLUSHED = 64 << 20, LABEL_BYTES = 4, ROOM = 1 << 16 };

static void add_tensor(struct mdm_text *h, const char *name, const char *dtype, uint64_t begin, uint64_t bytes)
{
    mdm_text_addf(h, ",\"%s\":{\"dtype\":\"%s\",\"data_offsets\":[%llu,%llu],\"shape\":", name, dtype,
                  (unsigned long long)begin, (unsigned long long)(begin + bytes));
}

/* The header of a file of `count` images whose names take so many bytes. */
static int write_header(struct mdm_text *h, const struct mdm_pack_file *f, int64_t count, uint64_t names)
{
    const struct mdm_labels named = {f->scan->label, f->scan->labels};
    const uint64_t images = (uint64_t)count * f->one, labels = f->scan->labels ? (uint64_t)count * LABEL_BYTES : 0;
    struct mdm_text list = {0};

    mdm_text_add_n(h, "\0\0\0\0\0\0\0", LENGTH);
    mdm_text_addf(h, "{\"__metadata__\":{\"" MDM_PACKED_MARK "\":\"%d\"", MDM_PACKED_FORMAT);
    if (labels) {
        mdm_labels_write(&named, &list);
        mdm_text_add(h, ",\"" MDM_PACKED_LABEL_NAMES "\":");
        mdm_text_add_json(h, list.data ? list.data : "[]");
        h->failed |= list.failed;
    }
    mdm_text_add(h, "}");
    add_tensor(h, "images", f->bits == 8 ? "U8" : "U16", 0, images);
    mdm_text_addf(h, "[%lld,%lld,%lld,%d]}", (long long)count, (long long)f->height, (long long)f->width,
                  f->channels);
    if (labels) {
        add_tensor(h, "labels", "I32", images, labels);
        mdm_text_addf(h, "[%lld]}", (long long)count);
    }
    add_tensor(h, MDM_PACKED_NAMES, "U8", images + labels, names);
    mdm_text_addf(h, "[%llu]}}", (unsigned long long)names);
    mdm_text_free(&list);
    return mdm_text_ok(h);
}

static uint64_t names_of(const struct mdm_pack_file *f, int all)
{
    uint64_t bytes = 0;

    for (int64_t i = 0; i < f->scan->count; i++)
        if (all || f->state[i] == MDM_PACKED_IN)
            bytes += strlen(mdm_scan_name(f->scan, i)) + 1;
    return bytes;
}

/* Room for the longest header that there may be, and for what the work is told by; for the longest labels and
 * names. */
static int measure(struct mdm_pack_file *f, const char *begun)
{
    const uint64_t names = names_of(f, 1);
    struct mdm_text h = {0};
    int r = write_header(&h, f, f->scan->count, names);
    const size_t n = h.length > strlen(begun) + 1 ? h.length : strlen(begun) + 1;

    f->head = (n + PAGE - 1) / PAGE * PAGE;
    f->tail = names + (f->scan->labels ? (uint64_t)f->scan->count * LABEL_BYTES : 0);
    mdm_text_free(&h);
    return r;
}

static uint64_t place(const struct mdm_pack_file *f, int64_t image)
{
    return f->head + (uint64_t)image * f->one;
}

/* A file that is begun holds its text at the front, and the states behind all that it may come to hold, so that
 * neither labels nor names are written over them. */
static uint64_t states(const struct mdm_pack_file *f)
{
    return place(f, f->scan->count) + f->tail;
}

static int begin(struct mdm_pack_file *f, const char *begun)
{
    MDM_TRY(mdm_part_write(f->part, f->state, (size_t)f->scan->count, states(f)));
    return mdm_part_write(f->part, begun, strlen(begun) + 1, 0);
}

static int go_on_with(struct mdm_pack_file *f, const char *begun)
{
    const size_t n = strlen(begun) + 1;
    char *theirs = mdm_need(n, 1, "what a file is begun of");
    int r = theirs ? mdm_part_read(f->part, theirs, n, 0) : MASKDM_ENOMEM;

    if (r >= 0 && memcmp(theirs, begun, n))
        r = mdm_fail(MASKDM_EINVAL, "%s was begun of other images or with other options: it does not begin with %s",
                     mdm_part_name(f->part), begun);
    mdm_free(theirs);
    MDM_TRY(r);
    MDM_TRY(mdm_part_read(f->part, f->state, (size_t)f->scan->count, states(f)));
    while (f->next < f->scan->count && f->state[f->next] != MDM_PACKED_TO_COME)
        f->packed += f->state[f->next++] == MDM_PACKED_IN;
    return MASKDM_OK;
}

int mdm_pack_file_open(struct mdm_pack_file *f, const char *path, int go_on, const char *begun)
{
    size_t all;
    int found;

    f->one = (size_t)(f->height * f->width) * (size_t)f->channels * (size_t)(f->bits / 8);
    if (mdm_mul_size(&all, f->one, (size_t)f->scan->count) || all > INT64_MAX / 2)
        return mdm_fail(MASKDM_EINVAL, "%lld images of %zu bytes are more than a file can hold",
                        (long long)f->scan->count, f->one);
    f->state = mdm_need((size_t)f->scan->count, 1, "what became of the images");
    if (!f->state)
        return MASKDM_ENOMEM;
    MDM_TRY(measure(f, begun));
    MDM_TRY(mdm_part_open(&f->part, path, go_on, &found));
    return found ? go_on_with(f, begun) : begin(f, begun);
}

int mdm_pack_file_flush(struct mdm_pack_file *f)
{
    MDM_TRY(mdm_part_flush(f->part)); /* first the images, then what says that they are there */
    MDM_TRY(mdm_part_write(f->part, f->state, (size_t)f->scan->count, states(f)));
    f->unflushed = 0;
    return MASKDM_OK;
}

int mdm_pack_file_add(struct mdm_pack_file *f, const void *samples)
{
    if (samples)
        MDM_TRY(mdm_part_write(f->part, samples, f->one, place(f, f->packed)));
    f->state[f->next++] = samples ? MDM_PACKED_IN : MDM_PACKED_OUT;
    f->packed += samples != NULL;
    f->unflushed += f->one;
    return f->unflushed < FLUSHED ? MASKDM_OK : mdm_pack_file_flush(f);
}

/* What goes behind the images, a piece at a time. */
struct tail {
    struct mdm_pack_file *file;
    uint64_t at;
    struct mdm_text piece;
};

static int put(struct tail *t, size_t least)
{
    int r = mdm_text_ok(&t->piece);

    if (r >= 0 && t->piece.length >= least) {
        r = mdm_part_write(t->file->part, t->piece.data, t->piece.length, t->at);
        t->at += t->piece.length;
        t->piece.length = 0;
    }
    return r;
}

static int write_tail(struct tail *t)
{
    const struct mdm_scan *s = t->file->scan;

    for (int64_t i = 0; i < s->count && s->labels; i++)
        if (t->file->state[i] == MDM_PACKED_IN) {
            char label[LABEL_BYTES];

            mdm_store_le(label, LABEL_BYTES, (uint32_t)s->file[i].label);
            mdm_text_add_n(&t->piece, label, sizeof label);
            MDM_TRY(put(t, ROOM));
        }
    for (int64_t i = 0; i < s->count; i++)
        if (t->file->state[i] == MDM_PACKED_IN) {
            mdm_text_add_n(&t->piece, mdm_scan_name(s, i), strlen(mdm_scan_name(s, i)) + 1);
            MDM_TRY(put(t, ROOM));
        }
    return put(t, 1);
}

static int finish_header(struct mdm_pack_file *f)
{
    struct mdm_text h = {0};
    int r = write_header(&h, f, f->packed, names_of(f, 0));

    while (r >= 0 && h.length < f->head) {
        mdm_text_add(&h, " ");
        r = mdm_text_ok(&h);
    }
    if (r >= 0) {
        mdm_store_le(h.data, LENGTH, h.length - LENGTH);
        r = mdm_part_write(f->part, h.data, h.length, 0);
    }
    mdm_text_free(&h);
    return r;
}

int mdm_pack_file_finish(struct mdm_pack_file *f)
{
    struct tail t = {.file = f, .at = place(f, f->packed)};
    int r;

    /* A call that ends before the header is written finds all images in place again, and nothing allocates behind. */
    MDM_TRY(mdm_pack_file_flush(f));
    r = write_tail(&t);
    mdm_text_free(&t.piece);
    if (r >= 0)
        r = mdm_part_flush(f->part);
    if (r >= 0)
        r = finish_header(f);
    if (r >= 0)
        r = mdm_part_cut(f->part, t.at);
    return r < 0 ? r : mdm_part_publish(&f->part);
}

void mdm_pack_file_close(struct mdm_pack_file *f)
{
    mdm_part_leave(&f->part);
    mdm_free(f->state);
}
