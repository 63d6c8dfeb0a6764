/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What all mask policies share: the table, the handle, the checks of a grid, and one random stream per image and
 * step.
 */
#include "diffusion/mask.h"

#include "diffusion/options.h"
#include "util/alloc.h"
#include "util/checked.h"
#include "util/error.h"

#include <string.h>

static const struct maskdm_mask_policy *const policies[] = {&maskdm_mask_none, &maskdm_mask_patch, &maskdm_mask_block,
                                                            &maskdm_mask_crop};

static void destroy(void *object)
{
    maskdm_mask *m = object;

    if (m->custom.drop)
        m->custom.drop(m->custom.user);
    maskdm_free(m->custom.name);
    maskdm_free(m);
}

static const struct maskdm_handle_kind kind = {"mask", destroy};

static maskdm_mask *create(const struct maskdm_mask_policy *policy)
{
    maskdm_mask *m = maskdm_need(1, sizeof *m, "a mask policy");

    if (!m)
        return NULL;
    maskdm_handle_init(&m->handle, &kind);
    m->policy = policy;
    return m;
}

static const struct maskdm_mask_policy *find(const char *name)
{
    for (size_t i = 0; i < MASKDM_LENGTH(policies); i++)
        if (!strcmp(policies[i]->name, name))
            return policies[i];
    return NULL;
}

int maskdm_masking_create(maskdm_mask **out, const maskdm_options *options)
{
    const struct maskdm_mask_policy *policy;
    maskdm_options *o;
    maskdm_mask *m = NULL;
    int status = MASKDM_OK;

    *out = NULL;
    MASKDM_TRY(maskdm_optionset_extract(&o, options, &maskdm_mask_kind));
    policy = find(maskdm_optionset_string(o, "type"));
    if (!policy)
        status = maskdm_fail(MASKDM_EINVAL, "there is no mask \"%s\"", maskdm_optionset_string(o, "type"));
    else if (!(m = create(policy)))
        status = MASKDM_ENOMEM;
    if (m) {
        m->ratio = maskdm_optionset_float(o, "ratio");
        m->block_size = maskdm_optionset_int(o, "block_size");
        m->crop_size = maskdm_optionset_int(o, "crop_size");
    }
    maskdm_optionset_release(&o);
    *out = m;
    return status;
}

int maskdm_masking_create_custom(maskdm_mask **out, const char *name, maskdm_mask_visible_callback visible,
                                 maskdm_mask_draw_callback draw, void (*drop)(void *user), void *user)
{
    maskdm_mask *m;

    *out = NULL;
    m = create(&maskdm_mask_custom);
    if (!m)
        return MASKDM_ENOMEM;
    m->custom.name = maskdm_strdup(name);
    if (!m->custom.name) {
        maskdm_free(m);
        return maskdm_fail_memory(strlen(name) + 1, "a mask policy's name");
    }
    m->custom.visible = visible;
    m->custom.draw = draw;
    m->custom.drop = drop;
    m->custom.user = user;
    *out = m;
    return MASKDM_OK;
}

void maskdm_masking_hold(maskdm_mask *m)
{
    if (m)
        maskdm_handle_hold(&m->handle);
}

void maskdm_masking_drop(maskdm_mask **out)
{
    maskdm_mask *m = *out;

    *out = NULL;
    if (m)
        maskdm_handle_drop(&m->handle);
}

const char *maskdm_masking_name(const maskdm_mask *m)
{
    if (!m)
        return maskdm_mask_none.name;
    return m->custom.name ? m->custom.name : m->policy->name;
}

double maskdm_mask_ratio(const maskdm_mask *m)
{
    return m->ratio;
}

/* MASKDM_OK, or EINVAL when no int32_t counts the grid's patches. */
static int check_grid(int64_t rows, int64_t columns)
{
    int64_t patches;

    if (rows < 1 || columns < 1 || maskdm_mul_i64(&patches, rows, columns) || patches > INT32_MAX)
        return maskdm_fail(MASKDM_EINVAL, "a grid of %lld x %lld patches is out of range", (long long)rows,
                           (long long)columns);
    return MASKDM_OK;
}

int64_t maskdm_masking_visible(const maskdm_mask *m, int64_t rows, int64_t columns)
{
    const struct maskdm_grid grid = {rows, columns};
    int64_t visible;

    MASKDM_TRY(check_grid(rows, columns));
    if (!m)
        return rows * columns;
    visible = m->policy->visible(m, grid);
    if (visible == 0)
        return maskdm_fail(MASKDM_EINVAL, "mask %s leaves no patch visible on a grid of %lld x %lld patches",
                           maskdm_masking_name(m), (long long)rows, (long long)columns);
    return visible;
}

int maskdm_masking_draw(const maskdm_mask *m, int64_t rows, int64_t columns, int64_t visible, uint64_t seed,
                        int64_t first, int64_t step, int64_t count, int32_t *index)
{
    const struct maskdm_mask_policy *policy = m ? m->policy : &maskdm_mask_none;
    const struct maskdm_grid grid = {rows, columns};
    const int64_t now = maskdm_masking_visible(m, rows, columns);
    int64_t all;

    if (now < 0)
        return (int)now;
    if (visible && visible != now)
        return maskdm_fail(MASKDM_EINVAL, "mask %s now keeps %lld patches of %lld x %lld visible, not %lld",
                           maskdm_masking_name(m), (long long)now, (long long)rows, (long long)columns,
                           (long long)visible);
    visible = now;
    if (maskdm_mul_i64(&all, count, visible) || all > INT64_MAX / (int64_t)sizeof *index)
        return maskdm_fail(MASKDM_EINVAL, "%lld masks of %lld patches are out of range", (long long)count,
                           (long long)visible);
    for (int64_t i = 0; i < count; i++) {
        struct maskdm_rng stream =
            maskdm_rng_make(seed, policy->purpose, (uint64_t)first + (uint64_t)i, (uint64_t)step);

        MASKDM_TRY(policy->draw(m, grid, visible, &stream, index + i * visible));
    }
    return MASKDM_OK;
}
