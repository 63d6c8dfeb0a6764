/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A part of another data set, chosen by a pseudo-random permutation; in the order of the whole.
 */
#include "data/data.h"

#include "base/alloc.h"
#include "base/maker.h"
#include "base/rng.h"

struct part {
    maskdm_data base;
    maskdm_data *whole;
    int64_t *index;  /* of image i in the whole */
    int64_t *wanted; /* scratch of expect() */
    int64_t wanted_length;
};

static int get(maskdm_data *data, int64_t i, float *image, int32_t *label)
{
    struct part *p = (struct part *)data;

    return mdm_data_get_stored(p->whole, p->index[i], image, label);
}

static int expect(maskdm_data *data, const int64_t *index, int64_t n)
{
    struct part *p = (struct part *)data;

    if (!p->whole->kind->expect)
        return MASKDM_OK;
    MDM_TRY(mdm_data_scratch(&p->wanted, &p->wanted_length, n));
    for (int64_t i = 0; i < n; i++)
        p->wanted[i] = p->index[index[i]];
    return mdm_data_expect(p->whole, p->wanted, n);
}

static int64_t file(const maskdm_data *data, int64_t i)
{
    const struct part *p = (const struct part *)data;

    return p->whole->kind->file ? p->whole->kind->file(p->whole, p->index[i]) : p->index[i];
}

static const char *path(const maskdm_data *data, int64_t i)
{
    const struct part *p = (const struct part *)data;

    return p->whole->kind->path ? p->whole->kind->path(p->whole, p->index[i]) : NULL;
}

static const char *label_name(const maskdm_data *data, int64_t i)
{
    const struct part *p = (const struct part *)data;

    return p->whole->kind->label_name ? p->whole->kind->label_name(p->whole, i) : NULL;
}

static void finish(maskdm_data *data)
{
    struct part *p = (struct part *)data;

    mdm_data_release(&p->whole);
    mdm_free(p->index);
    mdm_free(p->wanted);
}

static const struct mdm_data_class kind = {
    .get = get, .expect = expect, .path = path, .file = file, .label_name = label_name, .close = finish};

/* The images whose mark is `side`. */
static int make_part(maskdm_data **out, maskdm_data *whole, int64_t count, const unsigned char *mark, int side)
{
    struct part *p;
    int64_t n = 0;

    MDM_TRY(mdm_maker_check(whole->handle.process, "the data set")); /* images of a part are not asked again */
    MDM_TRY(mdm_data_begin(&p, sizeof *p, &kind, whole->device, count, whole->height, whole->width, whole->channels));
    *out = &p->base;
    p->whole = whole;
    mdm_data_hold(whole);
    p->base.margin_height = whole->margin_height;
    p->base.margin_width = whole->margin_width;
    p->base.labels = whole->labels;
    p->base.skipped = whole->skipped;
    p->base.files = whole->files;
    p->base.callers = whole->callers;
    p->base.known = whole->known;
    p->base.known_labels = whole->known_labels;
    p->index = mdm_need((size_t)count, sizeof *p->index, "a part of a data set");
    if (!p->index) {
        mdm_data_release(out);
        return MASKDM_ENOMEM;
    }
    for (int64_t i = 0; i < whole->count; i++)
        if (mark[i] == side)
            p->index[n++] = i;
    return MASKDM_OK;
}

int mdm_data_split_count(int64_t *held_out, int64_t count, double fraction)
{
    int64_t held;

    if (!(fraction > 0 && fraction < 1))
        return mdm_fail(MASKDM_EINVAL, "the held-out fraction is %g: it lies between 0 and 1", fraction);
    if (count < 2)
        return mdm_fail(MASKDM_EINVAL, "a data set of %lld image cannot be split", (long long)count);
    held = (int64_t)(fraction * (double)count + 0.5);
    if (held < 1)
        held = 1;
    *held_out = held > count - 1 ? count - 1 : held;
    return MASKDM_OK;
}

/* The first `count` of a permutation of n, so that with one seed a smaller part lies in a larger one. NULL: no
 * memory. */
static unsigned char *mark_some(int64_t count, int64_t n, uint64_t seed, enum mdm_purpose purpose)
{
    unsigned char *mark = mdm_need((size_t)n, 1, "a part of a data set");

    for (int64_t i = 0; mark && i < count; i++)
        mark[mdm_rng_permute(seed, purpose, 0, (uint64_t)i, (uint64_t)n)] = 1;
    return mark;
}

int mdm_data_split(maskdm_data **train, maskdm_data **held_out, maskdm_data *data, int64_t held, uint64_t seed)
{
    unsigned char *mark;
    int r;

    *train = *held_out = NULL;
    mark = mark_some(held, data->count, seed, MDM_DRAW_SPLIT);
    if (!mark)
        return MASKDM_ENOMEM;
    r = make_part(train, data, data->count - held, mark, 0);
    if (r >= 0)
        r = make_part(held_out, data, held, mark, 1);
    if (r < 0)
        mdm_data_release(train);
    mdm_free(mark);
    return r;
}

int mdm_data_take_count(int64_t *taken, int64_t count, double fraction)
{
    if (!(fraction > 0 && fraction <= 1))
        return mdm_fail(MASKDM_EINVAL, "the fraction to take is %g: it is above 0 and at most 1", fraction);
    *taken = (int64_t)(fraction * (double)count + 0.5);
    if (*taken < 1)
        *taken = 1;
    if (*taken > count)
        *taken = count;
    return MASKDM_OK;
}

int mdm_data_take(maskdm_data **out, maskdm_data *data, double fraction, uint64_t seed)
{
    unsigned char *mark;
    int64_t taken = 0;
    int r;

    *out = NULL;
    MDM_TRY(mdm_data_take_count(&taken, data->count, fraction));
    mark = mark_some(taken, data->count, seed, MDM_DRAW_FRACTION);
    if (!mark)
        return MASKDM_ENOMEM;
    r = make_part(out, data, taken, mark, 1);
    mdm_free(mark);
    return r;
}
