/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A tar archive, read in place: its headers once, from front to back, then entries by positioned reads in any order.
 * Labels are WebDataset's, NAME.cls or NAME.json beside NAME.png, else the folders in it.
 *
 * The archive must end as one, with two blocks of zeros and nothing else behind them, so that a cut is found wherever
 * it is.
 */
#include "data/source.h"

#include "base/alloc.h"
#include "base/error.h"
#include "data/edm_labels.h"
#include "data/found.h"
#include "data/sidecar.h"
#include "data/tar_header.h"

#include <string.h>

enum {
    WINDOW = 4096,    /* bytes that are read at a time: a header and what is near it */
    RECORDS = 1 << 16 /* most bytes of pax records, and of a long name */
};

struct walk {
    struct mdm_found found;
    struct mdm_reader *file;
    uint64_t at, size; /* of the next header; of the archive */
    char *text;        /* RECORDS: the records or the long name before an entry */
    const char *path;  /* what they say of its name, or NULL */
    size_t path_length;
    int has_size;
    uint64_t said;
    uint64_t window_at;
    size_t window_size;
    unsigned char window[WINDOW];
};

/* n bytes within the archive, small ones by way of the window. */
static int take(struct walk *w, void *out, size_t n, uint64_t at)
{
    const uint64_t left = w->size - at;

    if (n > sizeof w->window)
        return mdm_reader_read_at(w->file, out, n, at);
    if (at < w->window_at || at + n > w->window_at + w->window_size) {
        w->window_size = 0;
        w->window_at = at;
        MDM_TRY(mdm_reader_read_at(w->file, w->window, left < WINDOW ? (size_t)left : WINDOW, at));
        w->window_size = left < WINDOW ? (size_t)left : WINDOW;
    }
    memcpy(out, w->window + (at - w->window_at), n);
    return MASKDM_OK;
}

static int cut(const struct walk *w)
{
    return mdm_fail(
        MASKDM_EFORMAT,
        "%s is cut: at byte %llu of %llu there is neither an entry nor the two blocks of zeros that end a tar "
        "archive",
        w->found.path, (unsigned long long)w->at, (unsigned long long)w->size);
}

static int prefix(const struct walk *w, int status)
{
    return status < 0 ? mdm_fail_prefix(status, "%s, at byte %llu", w->found.path, (unsigned long long)w->at)
                      : status;
}

/* Two blocks of zeros, and zeros to the end. */
static int check_end(struct walk *w)
{
    unsigned char block[MDM_TAR_BLOCK];

    if (w->size - w->at < 2 * sizeof block)
        return cut(w);
    for (uint64_t at = w->at; at < w->size; at += sizeof block) {
        const size_t n = w->size - at < sizeof block ? (size_t)(w->size - at) : sizeof block;

        memset(block, 0, sizeof block);
        MDM_TRY(take(w, block, n, at));
        if (!mdm_tar_is_zero(block))
            return mdm_fail(
                MASKDM_EFORMAT,
                "%s ends as a tar archive at byte %llu of %llu, but has more behind that: were several joined?",
                w->found.path, (unsigned long long)w->at, (unsigned long long)w->size);
    }
    return MASKDM_OK;
}

/* The bytes of a header's records or long name, with a NUL behind them. */
static int take_text(struct walk *w, const struct mdm_tar_header *h)
{
    if (h->size >= RECORDS)
        return prefix(w, mdm_fail(MASKDM_EFORMAT, "records of %llu bytes; at most %d are read",
                                  (unsigned long long)h->size, RECORDS - 1));
    MDM_TRY(take(w, w->text, (size_t)h->size, w->at + MDM_TAR_BLOCK));
    w->text[h->size] = '\0';
    return MASKDM_OK;
}

static int see_long_name(struct walk *w, const struct mdm_tar_header *h)
{
    MDM_TRY(take_text(w, h));
    w->path = w->text;
    w->path_length = strlen(w->text);
    return MASKDM_OK;
}

static int see_records(struct walk *w, const struct mdm_tar_header *h)
{
    struct mdm_tar_pax p;

    MDM_TRY(take_text(w, h));
    MDM_TRY(prefix(w, mdm_tar_read_pax(&p, w->text, (size_t)h->size)));
    if (p.sparse)
        return prefix(w, mdm_fail(MASKDM_EFORMAT, "a file that is stored with holes, which is not read"));
    w->path = p.path;
    w->path_length = p.path_length;
    w->has_size = p.has_size;
    w->said = p.size;
    return MASKDM_OK;
}

static int read_labels(void *user, void *out, size_t n)
{
    struct walk *w = user;

    return mdm_reader_read_at(w->file, out, n, w->at + MDM_TAR_BLOCK);
}

static int see_file(struct walk *w, const struct mdm_tar_header *h)
{
    MDM_TRY(mdm_found_file(&w->found, h->size, w->at + MDM_TAR_BLOCK));
    if (mdm_edm_labels_is(w->found.name))
        return mdm_edm_labels_take(&w->found, h->size, read_labels, w);
    if (mdm_found_is_hidden(w->found.name) || !mdm_sidecar_is(w->found.name) || h->size >= RECORDS)
        return MASKDM_OK;
    MDM_TRY(take_text(w, h));
    return mdm_sidecar_take(&w->found, w->text, (size_t)h->size);
}

static int see_link(struct walk *w, const struct mdm_tar_header *h)
{
    (void)h;
    return mdm_found_other(&w->found, MDM_LEFT_LINK);
}

static int see_device(struct walk *w, const struct mdm_tar_header *h)
{
    return mdm_found_other(&w->found, h->type == '6' ? MDM_LEFT_FIFO : MDM_LEFT_DEVICE);
}

static int see_nothing(struct walk *w, const struct mdm_tar_header *h)
{
    (void)w;
    (void)h;
    return MASKDM_OK;
}

static int see_unknown(struct walk *w, const struct mdm_tar_header *h)
{
    return mdm_fail(MASKDM_EFORMAT, "%s: the entry at byte %llu, %.160s, is of type '%c', which is not read",
                    w->found.path, (unsigned long long)w->at, w->found.name, h->type);
}

static const struct kind {
    char type;
    int before; /* it speaks of the entry behind it */
    int (*see)(struct walk *w, const struct mdm_tar_header *h);
} kinds[] = {
    {'0', 0, see_file},      {'5', 0, see_nothing}, {'1', 0, see_link},   {'2', 0, see_link},
    {'3', 0, see_device},    {'4', 0, see_device},  {'6', 0, see_device}, {'V', 0, see_nothing},
    {'L', 1, see_long_name}, {'K', 1, see_nothing}, /* of a link's end */
    {'x', 1, see_records},   {'g', 1, see_nothing},
};
static const struct kind unknown = {0, 0, see_unknown};

static const struct kind *kind_of(char type)
{
    for (size_t i = 0; i < MDM_LENGTH(kinds); i++)
        if (kinds[i].type == type)
            return &kinds[i];
    return &unknown;
}

/* What stands before an entry goes over what its own header says. */
static int name_entry(struct walk *w, struct mdm_tar_header *h, const struct kind *kind)
{
    if (!kind->before) {
        const char *name = w->path ? w->path : h->name;

        MDM_TRY(mdm_found_name(&w->found, name, w->path ? w->path_length : strlen(name), w->at));
        h->size = w->has_size ? w->said : h->size;
        w->path = NULL;
        w->has_size = 0;
    }
    /* Links and folders have no bytes behind them, whatever their size says. */
    if (kind->see == see_link || kind->see == see_device || h->type == '5')
        h->size = 0;
    return MASKDM_OK;
}

/* 1: another entry; 0: the end. */
static int step(struct walk *w)
{
    unsigned char block[MDM_TAR_BLOCK];
    struct mdm_tar_header h;
    const struct kind *kind;
    uint64_t end;

    if (w->size - w->at < sizeof block)
        return cut(w);
    MDM_TRY(take(w, block, sizeof block, w->at));
    if (mdm_tar_is_zero(block))
        return check_end(w);
    if (!mdm_tar_is_header(block))
        return mdm_fail(MASKDM_EFORMAT, "%s is damaged: what stands at byte %llu of %llu is no header of a tar entry",
                        w->found.path, (unsigned long long)w->at, (unsigned long long)w->size);
    MDM_TRY(prefix(w, mdm_tar_read_header(&h, block)));
    kind = kind_of(h.type);
    MDM_TRY(name_entry(w, &h, kind));
    /* Both are at most INT64_MAX, so that nothing here overflows. */
    end = w->at + sizeof block + (h.size + MDM_TAR_BLOCK - 1) / MDM_TAR_BLOCK * MDM_TAR_BLOCK;
    if (end > w->size)
        return mdm_fail(MASKDM_EFORMAT,
                        "%s is cut: \"%.160s\" has %llu bytes from byte %llu on, the file ends at %llu",
                        w->found.path, kind->before ? h.name : w->found.name, (unsigned long long)h.size,
                        (unsigned long long)(w->at + sizeof block), (unsigned long long)w->size);
    MDM_TRY(kind->see(w, &h));
    w->at = end;
    return 1;
}

static int find(struct mdm_scan *s, const char *path, const struct mdm_scan_except *except, const struct mdm_log *log,
                maskdm_control *control)
{
    struct walk *w = mdm_need(1, sizeof *w, "reading an archive");
    int r;

    (void)except;
    if (!w)
        return MASKDM_ENOMEM;
    mdm_found_begin(&w->found, s, path, log, control);
    r = mdm_reader_open(&w->file, path);
    s->source = w->file;
    w->text = r < 0 ? NULL : mdm_need(RECORDS, 1, "reading an archive");
    if (r >= 0 && !w->text)
        r = MASKDM_ENOMEM;
    if (r >= 0) {
        w->size = mdm_reader_size(w->file);
        do
            r = step(w);
        while (r > 0);
    }
    r = mdm_found_end(&w->found, r);
    mdm_free(w->text);
    mdm_free(w);
    return r;
}

static int is_tar(const struct mdm_source_look *look)
{
    return look->kind == MDM_FILE_REGULAR &&
           (mdm_has_suffix(look->path, ".tar") || (look->n >= MDM_TAR_BLOCK && mdm_tar_is_header(look->head)));
}

static int read_bytes(const struct mdm_scan *s, int64_t i, void *out, size_t n, uint64_t at)
{
    return mdm_reader_read_at(s->source, out, n, s->file[i].place + at);
}

static void finish(void *source)
{
    struct mdm_reader *file = source;

    mdm_reader_close(&file);
}

const struct mdm_source_class mdm_tar_source = {.is = is_tar, .find = find, .bytes = read_bytes, .close = finish};
