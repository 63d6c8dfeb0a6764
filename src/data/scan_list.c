/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of files that a walk made: its order, and what tells it from others.
 */
#include "data/scan.h"

#include "base/alloc.h"
#include "base/control.h"
#include "base/digest.h"
#include "base/endian.h"

#include <stdlib.h>
#include <string.h>

enum { MARK_BYTES = 4096 };

static int compare(const void *a, const void *b)
{
    const struct mdm_scan_file *x = a, *y = b;

    return x->left_out != y->left_out ? x->left_out - y->left_out : strcmp(x->path, y->path);
}

const char *mdm_scan_name(const struct mdm_scan *s, int64_t i)
{
    return s->file[i].path + s->root;
}

/* The end of an image: all of a small one, the checksum of a PNG's last part, the last blocks of a JPEG. */
int mdm_scan_mark(uint64_t *mark, const char *path, int64_t bytes)
{
    unsigned char end[MARK_BYTES];
    size_t n = bytes < MARK_BYTES ? (size_t)bytes : MARK_BYTES;
    struct mdm_reader *file;
    struct mdm_digest d;
    int r = mdm_reader_open(&file, path);

    *mark = 0;
    if (r >= 0) {
        r = mdm_reader_read_at(file, end, n, (uint64_t)bytes - n);
        mdm_reader_close(&file);
    }
    if (r < 0)
        return r == MASKDM_ENOMEM ? r : MASKDM_OK;
    mdm_digest_start(&d);
    mdm_digest_add(&d, end, n);
    *mark = mdm_digest_value(&d);
    return MASKDM_OK;
}

uint64_t mdm_scan_digest(const struct mdm_scan *s)
{
    int64_t used = 0, broken = s->count, all = s->count + s->broken;
    struct mdm_digest d;

    mdm_digest_start(&d);
    while (used < s->count || broken < all) {
        int first = broken == all || (used < s->count && strcmp(s->file[used].path, s->file[broken].path) < 0);
        int64_t i = first ? used++ : broken++;
        const char *name = mdm_scan_name(s, i);
        unsigned char facts[20];

        mdm_store_le(facts, 8, (uint64_t)s->file[i].bytes);
        mdm_store_le(facts + 8, 8, s->file[i].mark);
        mdm_store_le(facts + 16, 4, (uint32_t)s->file[i].label);
        mdm_digest_add(&d, name, strlen(name) + 1);
        mdm_digest_add(&d, facts, sizeof facts);
    }
    return mdm_digest_value(&d);
}

int mdm_scan_mark_all(struct mdm_scan *s, maskdm_control *control)
{
    double told = 0;

    for (int64_t i = 0; i < s->count + s->broken; i++) {
        MDM_TRY(mdm_control_reading(control, &told, i, s->count + s->broken));
        MDM_TRY(mdm_scan_mark(&s->file[i].mark, s->file[i].path, s->file[i].bytes));
    }
    s->digest = mdm_scan_digest(s);
    return MASKDM_OK;
}

void mdm_scan_settle(struct mdm_scan *s)
{
    int64_t all = s->count + s->broken;

    qsort(s->file, (size_t)all, sizeof *s->file, compare);
    for (s->count = all; s->count && s->file[s->count - 1].left_out;)
        s->count--;
    s->broken = all - s->count;
}

void mdm_scan_free(struct mdm_scan *s)
{
    for (int64_t i = 0; i < s->count + s->broken; i++)
        mdm_free(s->file[i].path);
    for (int64_t i = 0; i < s->labels; i++)
        mdm_free(s->label[i]);
    mdm_free(s->file);
    mdm_free(s->label);
    memset(s, 0, sizeof *s);
}
