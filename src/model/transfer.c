/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Parameter by parameter from one model to another: what each is to the images (enum mdm_meaning) tells what becomes
 * of it. All goes by way of the host, one parameter at a time.
 */
#include "model/transfer.h"

#include "base/alloc.h"
#include "base/error.h"
#include "model/classes.h"
#include "model/transfer_rule.h"

#include <string.h>

/* ---- options ---- */

static const char *const others[] = {"image_size", "patch_size", "channels", "classes"};

const char *mdm_transfer_option(int i)
{
    return i >= 0 && i < (int)MDM_LENGTH(others) ? others[i] : NULL;
}

int mdm_transfer_options(maskdm_options **out, int *changed, const maskdm_model *model, const maskdm_options *given)
{
    int status = mdm_options_clone(out, model->options);

    *changed = 0;
    for (size_t i = 0; i < MDM_LENGTH(others) && status >= 0; i++) {
        const char *now = mdm_options_is_set(given, others[i]) ? mdm_options_text(given, others[i]) : NULL;

        if (!now || !mdm_options_text(*out, others[i]) || !strcmp(now, mdm_options_text(*out, others[i])))
            continue;
        status = mdm_options_set(*out, others[i], now);
        *changed = 1;
    }
    if (status < 0)
        mdm_options_release(out);
    return status;
}

/* ---- parameters ---- */

/* A table of sines and cosines follows from the grid. */
static int is_computed(const struct mdm_transfer_job *j)
{
    return j->to->init == MDM_INIT_GRID &&
           !(mdm_shape_equal(&j->from->shape, &j->to->shape) && j->from->scale == j->to->scale);
}

static int fill(struct mdm_transfer_job *j, const float *block)
{
    j->what = MASKDM_TRANSFER_TAKEN;
    if (is_computed(j)) {
        j->what = MASKDM_TRANSFER_COMPUTED;
        return MASKDM_OK;
    }
    j->x = mdm_need_aligned((size_t)mdm_shape_numel(&j->from->shape) * sizeof *j->x, "a parameter");
    if (!j->x)
        return MASKDM_ENOMEM;
    MDM_TRY(mdm_device_download(j->t->from->device, j->x, block + j->from->at,
                                (size_t)mdm_shape_numel(&j->from->shape) * sizeof *j->x));
    return mdm_transfer_apply(j);
}

/* Parameter i of the new model. */
static int make(struct mdm_transfer *t, int i, float *to, const float *from, uint64_t seed,
                struct mdm_transfer_report report)
{
    const struct mdm_param *p = &t->to->layout.list[i];
    const int at = mdm_params_find(&t->from->layout, p->name);
    struct mdm_transfer_job j = {
        .t = t, .from = at < 0 ? NULL : &t->from->layout.list[at], .to = p, .what = MASKDM_TRANSFER_FRESH};
    const size_t bytes = (size_t)mdm_shape_numel(&p->shape) * sizeof *j.y;
    int status = MASKDM_OK;

    j.y = mdm_need_aligned(bytes, "a parameter");
    if (!j.y)
        return MASKDM_ENOMEM;
    mdm_params_draw(&t->to->layout, i, j.y, seed);
    if (j.from)
        status = fill(&j, from);
    if (status == MASKDM_OK)
        status = mdm_device_upload(t->to->device, to + p->at, j.y, bytes);
    if (status == MASKDM_OK && report.call)
        report.call(report.user, p->name, j.what, j.from ? j.from->shape.d : NULL, j.from ? j.from->shape.n : 0,
                    p->shape.d, p->shape.n);
    mdm_free(j.x);
    mdm_free(j.y);
    return status;
}

static int make_block(struct mdm_transfer *t, float *to, const float *from, uint64_t seed,
                      struct mdm_transfer_report report)
{
    for (int i = 0; i < t->to->layout.count; i++)
        MDM_TRY(make(t, i, to, from, seed, report));
    for (int i = 0; i < t->from->layout.count && report.call; i++) {
        const struct mdm_param *p = &t->from->layout.list[i];

        if (mdm_params_find(&t->to->layout, p->name) < 0)
            report.call(report.user, p->name, MASKDM_TRANSFER_LEFT, p->shape.d, p->shape.n, NULL, 0);
    }
    return mdm_model_clear_gaps(t->to->device, &t->to->layout, to);
}

/* A rule is for one grid of patches. */
static int check_kinds(const struct mdm_geometry *from, const struct mdm_geometry *to)
{
    if (from->kinds < 2 || (from->rows == to->rows && from->columns == to->columns && from->patch == to->patch &&
                            from->channels == to->channels))
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL,
                    "a model on wavelets has patches of two kinds, and goes on with images of its own size, "
                    "patches and channels alone: %lld x %lld of %lld channels in %lld x %lld patches, "
                    "not %lld x %lld of %lld in %lld x %lld",
                    (long long)from->height, (long long)from->width, (long long)from->channels, (long long)from->rows,
                    (long long)from->columns, (long long)to->height, (long long)to->width, (long long)to->channels,
                    (long long)to->rows, (long long)to->columns);
}

static int make_axes(struct mdm_transfer *t)
{
    const struct mdm_geometry *from = &t->from->geometry, *to = &t->to->geometry;

    MDM_TRY(mdm_axis_resize(&t->rows, from->rows, to->rows));
    MDM_TRY(mdm_axis_resize(&t->columns, from->columns, to->columns));
    MDM_TRY(mdm_axis_resize(&t->pixels_out, from->patch, to->patch));
    return mdm_axis_resize_dual(&t->pixels_in, from->patch, to->patch);
}

static int transfer(struct mdm_transfer *t, const struct mdm_labels *labels, uint64_t seed,
                    struct mdm_transfer_report report)
{
    const struct mdm_transfer_report silent = {.call = NULL};
    const int64_t count = t->to->geometry.classes;
    int64_t *map = mdm_need((size_t)count + 1, sizeof *map, "classes");
    int status =
        map ? mdm_classes_map(map, labels, count, &t->from->labels, t->from->geometry.classes) : MASKDM_ENOMEM;

    t->classes = map;
    if (status == MASKDM_OK)
        status = mdm_labels_set(&t->to->labels, (const char *const *)labels->name, labels->count, count);
    if (status == MASKDM_OK)
        status = check_kinds(&t->from->geometry, &t->to->geometry);
    if (status == MASKDM_OK)
        status = make_axes(t);
    if (status == MASKDM_OK)
        status = mdm_model_take(t->to, t->from->online != NULL);
    if (status == MASKDM_OK)
        status = make_block(t, t->to->ema, t->from->ema, seed, report);
    if (status == MASKDM_OK && t->to->online)
        status = make_block(t, t->to->online, t->from->online, seed, silent);
    mdm_free(map);
    return status;
}

int mdm_transfer(maskdm_model **out, const maskdm_model *model, const maskdm_options *options,
                 const struct mdm_labels *labels, uint64_t seed, struct mdm_transfer_report report)
{
    struct mdm_transfer t = {.from = model};
    int status;

    *out = NULL;
    MDM_TRY(mdm_device_need_float(model->device, "a model of other images"));
    if (model->adapter)
        return mdm_fail(MASKDM_EINVAL, "the model has adapters: merge them into its weights first");
    status = mdm_model_like(out, model, options);
    t.to = *out;
    if (status == MASKDM_OK)
        status = transfer(&t, labels, seed, report);
    mdm_axis_free(&t.rows);
    mdm_axis_free(&t.columns);
    mdm_axis_free(&t.pixels_in);
    mdm_axis_free(&t.pixels_out);
    if (status < 0)
        mdm_model_drop(out);
    return status;
}
