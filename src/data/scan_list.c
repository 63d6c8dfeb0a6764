/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of files that a walk made: its order, and what tells it from others.
 */
#include "data/scan.h"

#include "base/alloc.h"
#include "base/control.h"
#include "base/digest.h"
#include "base/endian.h"
#include "data/left_out.h"
#include "data/source.h"

#include <stdlib.h>
#include <string.h>

enum { MARK_BYTES = 4096 };

static int compare(const void *a, const void *b)
{
    const struct mdm_scan_file *x = a, *y = b;

    return x->left_out != y->left_out ? x->left_out - y->left_out : strcmp(x->path, y->path);
}

int mdm_scan_is_image(const char *name)
{
    static const char *const suffix[] = {".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".webp"};

    for (size_t i = 0; i < MDM_LENGTH(suffix); i++)
        if (mdm_has_suffix(name, suffix[i]))
            return 1;
    return 0;
}

/* Room for one more element in a growing array. */
static int make_room(void **array, int64_t *capacity, int64_t count, size_t size)
{
    int64_t more = *capacity ? *capacity * 2 : 256;
    void *grown;

    if (count < *capacity)
        return MASKDM_OK;
    grown = mdm_realloc(*array, (size_t)more * size);
    if (!grown)
        return mdm_fail_memory((size_t)more * size, "the list of images");
    *array = grown;
    *capacity = more;
    return MASKDM_OK;
}

int mdm_scan_add(struct mdm_scan *s, char *path, int64_t bytes, int32_t label, uint64_t place)
{
    void *file = s->file;
    int r = make_room(&file, &s->capacity, s->count, sizeof *s->file);

    s->file = file;
    if (r < 0)
        mdm_free(path);
    else
        s->file[s->count++] = (struct mdm_scan_file){.path = path, .bytes = bytes, .label = label, .place = place};
    return r;
}

int mdm_scan_digits(int64_t count)
{
    int digits = 1;

    for (count--; count > 9; count /= 10)
        digits++;
    return digits;
}

int mdm_scan_add_label(struct mdm_scan *s, const char *name, size_t n)
{
    void *label = s->label;
    int r = make_room(&label, &s->label_capacity, s->labels, sizeof *s->label);
    char *copy;

    s->label = label;
    MDM_TRY(r);
    copy = mdm_strndup(name, n);
    if (!copy)
        return mdm_fail_memory(n + 1, "the name of a label");
    s->label[s->labels++] = copy;
    return MASKDM_OK;
}

int mdm_scan_number_labels(struct mdm_scan *s, int64_t count)
{
    char number[24];

    while (s->labels < count) {
        mdm_format(number, sizeof number, "%lld", (long long)s->labels);
        MDM_TRY(mdm_scan_add_label(s, number, strlen(number)));
    }
    return MASKDM_OK;
}

void mdm_scan_forget_labels(struct mdm_scan *s)
{
    while (s->labels > 0)
        mdm_free(s->label[--s->labels]);
}

int64_t mdm_scan_part(const struct mdm_scan *s, int64_t i)
{
    return (int64_t)(s->file[i].place >> MDM_SCAN_PLACE);
}

const char *mdm_scan_name(const struct mdm_scan *s, int64_t i)
{
    return s->file[i].path + s->root;
}

/* The end of an image: all of a small one, the checksum of a PNG's last part, the last blocks of a JPEG. */
int mdm_scan_mark(uint64_t *mark, const struct mdm_scan *s, int64_t i)
{
    const int64_t bytes = s->file[i].bytes;
    unsigned char end[MARK_BYTES];
    size_t n = bytes < MARK_BYTES ? (size_t)bytes : MARK_BYTES;
    struct mdm_digest d;
    int r = s->kind->bytes(s, i, end, n, (uint64_t)bytes - n);

    *mark = 0;
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
    for (int64_t k = 0; k < s->parts; k++) {
        unsigned char weight[8];

        mdm_store_le(weight, sizeof weight, (uint64_t)s->weight[k]);
        mdm_digest_add(&d, weight, sizeof weight);
    }
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
        MDM_TRY(mdm_scan_mark(&s->file[i].mark, s, i));
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
    mdm_scan_forget_labels(s);
    mdm_free(s->file);
    mdm_free(s->label);
    mdm_free(s->weight);
    if (s->source)
        s->kind->close(s->source);
    memset(s, 0, sizeof *s);
}
