/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What all mask policies share: the handle, the checks of a grid, and one random stream per image and
 * step.
 */
#include "mask/mask.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "mask/options.h"

#include <math.h>
#include <string.h>

static void destroy(void *object)
{
    maskdm_mask *m = object;

    if (m->custom.drop)
        m->custom.drop(m->custom.user);
    mdm_free(m->custom.name);
    mdm_mask_drop(&m->details);
    mdm_options_release(&m->options);
    mdm_free(m);
}

static const struct mdm_handle_kind kind = {"mask", destroy};

static maskdm_mask *create(const struct mdm_mask_policy *policy)
{
    maskdm_mask *m = mdm_need(1, sizeof *m, "a mask policy");

    if (!m)
        return NULL;
    mdm_handle_init(&m->handle, &kind);
    m->policy = policy;
    return m;
}

static int check(const maskdm_options *o, const struct mdm_mask_options *told)
{
    MDM_TRY(mdm_options_check_needs(o, NULL));
    if (told->steps && told->ratio_steps > told->steps)
        return mdm_fail(MASKDM_EINVAL, "%s %lld is more than %s %lld, behind which nothing is hidden",
                        mdm_options_said(o, "ratio_steps"), (long long)told->ratio_steps,
                        mdm_options_said(o, "steps"), (long long)told->steps);
    if (!*mdm_options_text(o, "ratio_end") || told->ratio_steps)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "%s %g without %s, over which it is reached", mdm_options_said(o, "ratio_end"),
                    told->ratio_end, mdm_options_said(o, "ratio_steps"));
}

static void adopt(maskdm_mask *m, const struct mdm_mask_options *told)
{
    m->steps = told->steps;
    m->ratio = told->ratio;
    m->ratio_end = told->ratio_end;
    m->ratio_steps = told->ratio_steps;
    m->ratio_levels = told->ratio_levels;
    m->ratio_curve = (enum mdm_mask_curve)told->ratio_curve;
    m->block_size = told->block_size;
    m->crop_size = told->crop_size;
    m->cell_size = told->cell_size;
    m->cell_visible = told->cell_visible;
    m->groups = told->groups;
}

static int make(maskdm_mask **out, const struct mdm_mask_policy *policy, const struct mdm_mask_options *told)
{
    maskdm_mask *m = *out = create(policy);

    if (m)
        adopt(m, told);
    return m ? MASKDM_OK : MASKDM_ENOMEM;
}

/* A share of their own, which stays. */
static int make_details(maskdm_mask *m, const struct mdm_mask_options *told)
{
    struct mdm_mask_options own = *told;

    own.ratio = told->detail_ratio;
    own.ratio_steps = 0;
    return make(&m->details, m->policy, &own);
}

int mdm_mask_create(maskdm_mask **out, const maskdm_options *options)
{
    const struct mdm_mask_policy *policy;
    struct mdm_mask_options told;
    maskdm_options *o;
    maskdm_mask *m = NULL;
    int status;

    *out = NULL;
    MDM_TRY(mdm_options_extract(&o, options, &mdm_mask_kind));
    mdm_options_read(o, &mdm_mask_options, &told);
    policy = mdm_mask_policy_at(told.type);
    status = check(o, &told);
    if (status == MASKDM_OK && policy == &mdm_mask_custom) /* its functions come from a host */
        status = mdm_fail(MASKDM_EINVAL, "there is no mask \"%s\"", policy->name);
    else if (status == MASKDM_OK)
        status = make(&m, policy, &told);
    if (status == MASKDM_OK && *mdm_options_text(o, "detail_ratio"))
        status = make_details(m, &told);
    if (status < 0) {
        mdm_mask_drop(&m);
        mdm_options_release(&o);
        return status;
    }
    m->options = o;
    *out = m;
    return MASKDM_OK;
}

int mdm_mask_create_custom(maskdm_mask **out, const char *name, maskdm_mask_visible_callback visible,
                           maskdm_mask_draw_callback draw, maskdm_drop_callback drop, void *user)
{
    maskdm_mask *m;

    *out = NULL;
    m = create(&mdm_mask_custom);
    if (!m)
        return MASKDM_ENOMEM;
    m->custom.name = mdm_strdup(name);
    if (!m->custom.name) {
        mdm_free(m);
        return mdm_fail_memory(strlen(name) + 1, "a mask policy's name");
    }
    m->custom.visible = visible;
    m->custom.draw = draw;
    m->custom.drop = drop;
    m->custom.user = user;
    *out = m;
    return MASKDM_OK;
}

void mdm_mask_hold(maskdm_mask *m)
{
    if (m)
        mdm_handle_hold(&m->handle);
}

void mdm_mask_drop(maskdm_mask **out)
{
    maskdm_mask *m = *out;

    *out = NULL;
    if (m)
        mdm_handle_drop(&m->handle);
}

const char *mdm_mask_name(const maskdm_mask *m)
{
    if (!m)
        return mdm_mask_none.name;
    return m->custom.name ? m->custom.name : m->policy->name;
}

/* MASKDM_OK, or EINVAL when no int32_t counts the grid's patches. */
static int check_grid(int64_t rows, int64_t columns)
{
    int64_t patches;

    if (rows < 1 || columns < 1 || mdm_mul_i64(&patches, rows, columns) || patches > INT32_MAX)
        return mdm_fail(MASKDM_EINVAL, "a grid of %lld x %lld patches is out of range", (long long)rows,
                        (long long)columns);
    return MASKDM_OK;
}

/* Of the share. */
static int64_t count_ratios(const maskdm_mask *m)
{
    return m && m->ratio_steps ? m->ratio_levels : 1;
}

static int is_over(const maskdm_mask *m, int64_t step)
{
    return m && m->steps && step >= m->steps;
}

int64_t mdm_mask_levels(const maskdm_mask *m)
{
    return count_ratios(m) + (m && m->steps);
}

int64_t mdm_mask_level_from(const maskdm_mask *m, int64_t level)
{
    if (m && m->steps && level == count_ratios(m))
        return m->steps;
    return m && m->ratio_steps ? (level * m->ratio_steps + m->ratio_levels - 1) / m->ratio_levels : 0;
}

/* At its ends what was asked for. Between them it is rounded, so that a quarter is one and hides its patch, whatever
 * a machine's cosine ends in. */
static double ratio_at(const maskdm_mask *m, int64_t step)
{
    const double digits = 1e12;
    int64_t level;
    double way;

    if (!m->ratio_steps)
        return m->ratio;
    level = step < m->ratio_steps ? step * m->ratio_levels / m->ratio_steps : m->ratio_levels - 1;
    if (level == 0 || level == m->ratio_levels - 1)
        return level == 0 ? m->ratio : m->ratio_end;
    way = (double)level / (double)(m->ratio_levels - 1);
    if (m->ratio_curve == MDM_MASK_COSINE)
        way = (1 - cos(acos(-1) * way)) / 2;
    return round((m->ratio + way * (m->ratio_end - m->ratio)) * digits) / digits;
}

int64_t mdm_mask_visible(const maskdm_mask *m, int64_t rows, int64_t columns, int64_t step)
{
    const struct mdm_grid grid = {rows, columns};
    int64_t visible;

    MDM_TRY(check_grid(rows, columns));
    if (!m || is_over(m, step))
        return rows * columns;
    visible = m->policy->visible(m, ratio_at(m, step), grid);
    if (visible == 0)
        return mdm_fail(MASKDM_EINVAL, "mask %s leaves no patch visible on a grid of %lld x %lld patches",
                        mdm_mask_name(m), (long long)rows, (long long)columns);
    return visible;
}

int64_t mdm_mask_groups(const maskdm_mask *m)
{
    return m && m->policy->groups ? m->policy->groups(m) : 1;
}

int mdm_mask_draw(const maskdm_mask *m, int64_t rows, int64_t columns, int64_t visible, uint64_t seed, int64_t first,
                  int64_t step, int64_t count, int32_t *index)
{
    const struct mdm_mask_policy *policy = m && !is_over(m, step) ? m->policy : &mdm_mask_none;
    const struct mdm_grid grid = {rows, columns};
    const int64_t now = mdm_mask_visible(m, rows, columns, step), groups = mdm_mask_groups(m);
    int64_t all;

    if (now < 0)
        return (int)now;
    if (visible && visible != now)
        return mdm_fail(MASKDM_EINVAL, "mask %s now keeps %lld patches of %lld x %lld visible, not %lld",
                        mdm_mask_name(m), (long long)now, (long long)rows, (long long)columns, (long long)visible);
    visible = now;
    if (mdm_mul_i64(&all, count, groups * visible) || all > INT64_MAX / (int64_t)sizeof *index)
        return mdm_fail(MASKDM_EINVAL, "%lld masks of %lld patches are out of range", (long long)count,
                        (long long)visible);
    for (int64_t i = 0; i < count; i++) {
        struct mdm_rng stream = mdm_rng_make(seed, policy->purpose, (uint64_t)first + (uint64_t)i, (uint64_t)step);

        MDM_TRY(policy->draw(m, grid, visible, &stream, index + i * groups * visible));
    }
    return MASKDM_OK;
}
