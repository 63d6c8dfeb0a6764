/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A run's steps in levels of equal shape.
 */
#include "train/pace.h"

#include "base/checked.h"
#include "base/error.h"
#include "train/options.h"

enum { USUAL_BATCH = 64 };

static int check(const struct mdm_trainer_options *told, int64_t batch_size, const maskdm_options *options)
{
    const char *batch = mdm_options_said(options, "batch_size");

    if (told->batch_size && told->batch_tokens)
        return mdm_fail(MASKDM_EINVAL, "%s %lld and %s %lld both say how large a batch is", batch,
                        (long long)told->batch_size, mdm_options_said(options, "batch_tokens"),
                        (long long)told->batch_tokens);
    if (told->batch_tokens || batch_size % told->accumulate == 0)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "%s %lld does not divide %s %lld", mdm_options_said(options, "accumulate"),
                    (long long)told->accumulate, batch, (long long)batch_size);
}

/* As many images as the tokens allow, in parts of one size. */
static int64_t count_images(const struct mdm_pace *p, int64_t visible, const maskdm_options *options)
{
    const int64_t of_image = visible * p->groups, images = p->tokens / of_image / p->accumulate * p->accumulate;

    if (images || !p->asked)
        return images ? images : p->accumulate;
    return mdm_fail(MASKDM_EINVAL, "%s %lld is less than the %lld visible patches of an image, times %s %lld",
                    mdm_options_said(options, "batch_tokens"), (long long)p->tokens, (long long)of_image,
                    mdm_options_said(options, "accumulate"), (long long)p->accumulate);
}

/* Another level, unless it is as the one before. */
static void add(struct mdm_pace *p, int64_t from, int64_t visible, int64_t second, int64_t batch_size)
{
    struct mdm_pace_level *l = &p->level[p->levels];

    if (p->levels && visible == l[-1].visible && second == l[-1].second)
        return;
    *l = (struct mdm_pace_level){from, mdm_pace_images(p, from), batch_size, visible, second};
    p->levels++;
    p->most = batch_size > p->most ? batch_size : p->most;
}

int mdm_pace_plan(struct mdm_pace *out, const maskdm_mask *mask, const struct mdm_grids *grids,
                  const maskdm_options *options)
{
    struct mdm_trainer_options told;
    int64_t batch_size;

    mdm_options_read(options, &mdm_trainer_options, &told);
    batch_size = told.batch_size ? told.batch_size : USUAL_BATCH;
    MDM_TRY(check(&told, batch_size, options));
    *out = (struct mdm_pace){
        .groups = mdm_mask_groups(mask), .tokens = told.batch_tokens, .accumulate = told.accumulate};
    out->asked = out->tokens > 0;
    out->usual = !told.batch_size && !out->asked;
    for (int64_t i = 0; i < mdm_mask_levels(mask); i++) {
        const int64_t from = mdm_mask_level_from(mask, i);
        int64_t second, visible = mdm_mask_visible_kinds(mask, grids, from, &second);

        if (visible < 0)
            return (int)visible;
        if (i == 0 && out->usual && mdm_mask_levels(mask) > 1)
            out->tokens = batch_size * visible * out->groups;
        if (out->tokens)
            batch_size = count_images(out, visible, options);
        if (batch_size < 0)
            return (int)batch_size;
        add(out, from, visible, second, batch_size);
    }
    return MASKDM_OK;
}

int64_t mdm_pace_rows(const struct mdm_pace *p, const struct mdm_pace_level *level)
{
    return level->batch_size / p->accumulate * p->groups;
}

const struct mdm_pace_level *mdm_pace_at(const struct mdm_pace *p, int64_t step)
{
    int i = p->levels - 1;

    while (i > 0 && p->level[i].from > step)
        i--;
    return &p->level[i];
}

int64_t mdm_pace_images(const struct mdm_pace *p, int64_t step)
{
    const struct mdm_pace_level *l;
    int64_t images;

    if (step == 0)
        return 0;
    l = mdm_pace_at(p, step);
    if (mdm_mul_i64(&images, step - l->from, l->batch_size) || mdm_add_i64(&images, images, l->before))
        return MDM_PACE_IMAGES;
    return images < MDM_PACE_IMAGES ? images : MDM_PACE_IMAGES;
}
