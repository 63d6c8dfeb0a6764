/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What maskdm_evaluate() does: the held-out error of a model, and how far images, a folder's or a model's own, are
 * from a reference.
 */
#include "run/evaluate.h"

#include "base/error.h"
#include "diffusion/options.h"
#include "run/device.h"

#include <string.h>

static const char *said(const struct mdm_evaluate_job *e, const char *name)
{
    return mdm_options_said(e->options, name);
}

/* What only a model that draws looks at. */
static int check_drawing(const struct mdm_evaluate_job *e)
{
    struct mdm_option_place p;

    for (int64_t i = 0; mdm_option_at(&p, &mdm_evaluate_kind, i); i++) {
        const char *name = p.option->name;
        const int drawing = p.table == &mdm_sampler_options || p.chooser == &mdm_sampler_options ||
                            !strcmp(name, "label") || !strcmp(name, "weights");

        if (drawing && mdm_options_is_set(e->options, name))
            return mdm_fail(MASKDM_EINVAL, "%s is for a model that draws, which takes %s and %s without %s",
                            said(e, name), said(e, "model"), said(e, "reference"), said(e, "images"));
    }
    return MASKDM_OK;
}

/* Nothing that is given goes without a word. */
static int check(const struct mdm_evaluate_job *e)
{
    const struct mdm_evaluate_run_options *t = &e->told;
    const int draws = *t->model && *t->reference && !*t->images;

    if (*t->data && !*t->model)
        return mdm_fail(MASKDM_EINVAL, "%s without %s: whose error is to be told?", said(e, "data"),
                        said(e, "model"));
    if (*t->model && !*t->data && !draws)
        return mdm_fail(MASKDM_EINVAL, "%s needs %s, or %s without %s", said(e, "model"), said(e, "data"),
                        said(e, "reference"), said(e, "images"));
    if (*t->reference && !*t->images && !*t->model)
        return mdm_fail(MASKDM_EINVAL, "%s without %s or %s: what is compared with it?", said(e, "reference"),
                        said(e, "images"), said(e, "model"));
    if (*t->images && !*t->reference && !*t->save_statistics && !*t->save_features)
        return mdm_fail(MASKDM_EINVAL, "%s without %s, %s or %s", said(e, "images"), said(e, "reference"),
                        said(e, "save_statistics"), said(e, "save_features"));
    if (!*t->model && !*t->images)
        return mdm_fail(MASKDM_EINVAL, "an evaluation takes %s with %s or %s, or %s with %s", said(e, "model"),
                        said(e, "data"), said(e, "reference"), said(e, "images"), said(e, "reference"));
    if (draws && t->count < 2)
        return mdm_fail(MASKDM_EINVAL, "%s is %lld: how many images is the model to draw?", said(e, "count"),
                        (long long)t->count);
    if (!*t->data && mdm_options_is_set(e->options, "label_file"))
        return mdm_fail(MASKDM_EINVAL, "%s is for %s, which is not given", said(e, "label_file"), said(e, "data"));
    MDM_TRY(mdm_options_check_needs(e->options, &mdm_evaluate_run_options));
    MDM_TRY(mdm_options_check_needs(e->options, &mdm_metric_options));
    return draws ? MASKDM_OK : check_drawing(e);
}

static int evaluate(struct mdm_evaluate_job *e, maskdm_write_callback write, void *user)
{
    mdm_page_begin(&e->page, NULL);
    if (*e->told.data)
        MDM_TRY(mdm_evaluate_held_out(&e->page, e->options, &e->told, e->device, e->control));
    if (*e->told.images || *e->told.reference)
        MDM_TRY(mdm_evaluate_distances(e));
    return mdm_page_deliver(&e->page, e->told.json, write, user);
}

static void finish(struct mdm_evaluate_job *e)
{
    mdm_statistics_drop(&e->statistics);
    mdm_statistics_drop(&e->reference);
    mdm_features_drop(&e->made);
    mdm_features_drop(&e->real);
    mdm_extractor_drop(&e->look.extractor);
    mdm_page_free(&e->page);
    mdm_device_drop(&e->device);
}

int mdm_evaluate_run(const maskdm_options *options, maskdm_control *control, maskdm_write_callback write, void *user)
{
    struct mdm_evaluate_job e = {.options = options, .control = control, .log = mdm_control_log(control)};
    int status;

    if (mdm_options_kind(options) != &mdm_evaluate_kind)
        return mdm_fail(MASKDM_EINVAL, "options of kind %s, not evaluate", mdm_options_kind(options)->name);
    MDM_TRY(mdm_options_check(options));
    mdm_options_read(options, &mdm_evaluate_run_options, &e.told);
    mdm_options_read(options, &mdm_metric_options, &e.metric);
    MDM_TRY(check(&e));
    status = mdm_run_open_device(&e.device, e.told.device, options, e.log);
    if (status >= 0)
        status = evaluate(&e, write, user);
    finish(&e);
    return status;
}
