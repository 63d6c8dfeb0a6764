/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who guides a sampler: its own network without labels, or a second model (Karras et al. 2024, "Guiding a Diffusion
 * Model with a Bad Version of Itself", arXiv 2406.02507; Zhong et al. 2025, "Domain Guidance", arXiv 2504.01521,
 * where it is the one that was fine-tuned from).
 */
#include "base/error.h"
#include "diffusion/options.h"
#include "diffusion/scheduler.h"
#include "model/routing.h"
#include "sample/sampler.h"

#include <math.h>
#include <string.h>

static int differ(double a, double b)
{
    return a != b && !(fabs(a - b) <= 1e-9 * (fabs(a) + fabs(b)));
}

/* What a network is asked for at a time is the same for both, all along. */
static int check_times(const maskdm_scheduler *guide, const maskdm_scheduler *model)
{
    enum { PLACES = 17 };
    const struct mdm_process *p = model->process, *q = guide->process;

    if (differ(p->first, q->first) || differ(p->last, q->last))
        return mdm_fail(MASKDM_EINVAL, "the guide has times %g .. %g and the model %g .. %g", q->first, q->last,
                        p->first, p->last);
    for (int i = 0; i < PLACES; i++) {
        const double t = p->first + (p->last - p->first) * i / (PLACES - 1);
        const struct mdm_facts m = mdm_scheduler_facts(model, t), g = mdm_scheduler_facts(guide, t);
        const struct {
            const char *name;
            double g, m;
        } fact[] = {{"signal", g.level.signal, m.level.signal},
                    {"noise", g.level.noise, m.level.noise},
                    {"network's time", g.network_time, m.network_time},
                    {"input scale", g.input_scale, m.input_scale},
                    {"x0 of the output", g.clean.b, m.clean.b}};

        for (size_t k = 0; k < MDM_LENGTH(fact); k++)
            if (differ(fact[k].g, fact[k].m))
                return mdm_fail(MASKDM_EINVAL,
                                "at time %g the guide's %s is %g and the model's %g; one process is needed", t,
                                fact[k].name, fact[k].g, fact[k].m);
    }
    return MASKDM_OK;
}

static const char *space_name(const struct mdm_geometry *g)
{
    return g->space ? g->space->name : "pixels";
}

static int check_guide(const maskdm_model *guide, const maskdm_model *model)
{
    const struct mdm_geometry *g = &guide->geometry, *m = &model->geometry;
    const maskdm_scheduler *gs = guide->scheduler, *ms = model->scheduler;

    if (guide->device != model->device)
        return mdm_fail(MASKDM_EINVAL, "the guide is on another device than the model");
    if (g->height != m->height || g->width != m->width || g->channels != m->channels)
        return mdm_fail(MASKDM_ESHAPE, "the guide's images are %lld x %lld x %lld and the model's %lld x %lld x %lld",
                        (long long)g->height, (long long)g->width, (long long)g->channels, (long long)m->height,
                        (long long)m->width, (long long)m->channels);
    if (g->space != m->space)
        return mdm_fail(MASKDM_EINVAL, "the guide works on %s and the model on %s", space_name(g), space_name(m));
    if (gs->process->kind != ms->process->kind)
        return mdm_fail(MASKDM_EINVAL, "the guide's process is %s and the model's %s", gs->process->kind->name,
                        ms->process->kind->name);
    if (gs->prediction != ms->prediction)
        return mdm_fail(MASKDM_EINVAL, "the guide predicts %s and the model %s", gs->prediction->name,
                        ms->prediction->name);
    return check_times(gs, ms);
}

/* A guide with other classes would take the labels for something else. */
static int check_labels(const maskdm_model *guide, const maskdm_model *model, const char *said)
{
    const int64_t theirs = guide->geometry.classes, ours = model->geometry.classes;

    if (theirs == 0 || theirs == ours)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "the guide has %lld classes and the model %lld; %s=false asks it without labels",
                    (long long)theirs, (long long)ours, said);
}

/* ---- the weaker one ---- */

/* What is known of it. */
struct wish {
    const maskdm_options *o;
    struct mdm_sampler_options told;
    enum maskdm_weights which; /* of the sampler's own model */
    maskdm_model *guide;       /* or NULL */
    enum maskdm_weights guide_which;
};

static int by_label(const maskdm_sampler *s, const struct wish *w)
{
    const char *by = mdm_options_said(w->o, "guidance_by");

    if (s->geometry.classes <= 0)
        return mdm_fail(MASKDM_EINVAL,
                        "%s %g needs a network with labels, a guide or another %s; this one has no classes",
                        mdm_options_said(w->o, "guidance"), w->told.guidance, by);
    if (w->told.guidance_labels)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL,
                    "%s false keeps labels from a guide, or from another %s; here the weaker prediction is the one "
                    "without the label",
                    mdm_options_said(w->o, "guidance_labels"), by);
}

static int by_guide(maskdm_sampler *s, struct mdm_guiding *how, const struct wish *w)
{
    if (!w->guide)
        return by_label(s, w);
    MDM_TRY(check_guide(w->guide, s->model));
    if (!how->unlabelled)
        MDM_TRY(check_labels(w->guide, s->model, mdm_options_said(w->o, "guidance_labels")));
    mdm_model_hold(w->guide);
    s->guide = w->guide;
    return mdm_denoiser_of_model(&how->weaker, w->guide, w->guide_which, s->control);
}

/* Of the sampler's own network, and of nobody else. */
static int check_own(const maskdm_sampler *s, const struct wish *w)
{
    const char *said = mdm_options_said(w->o, "guidance_by"), *text = mdm_options_text(w->o, "guidance_by");

    if (w->guide)
        return mdm_fail(MASKDM_EINVAL, "%s %s and a guide are two weaker predictions; one of them", said, text);
    if (!s->model)
        return mdm_fail(MASKDM_EINVAL, "%s %s needs a network, and a function of the host is asked", said, text);
    return MASKDM_OK;
}

static int by_routing(maskdm_sampler *s, struct mdm_guiding *how, const struct wish *w)
{
    const double ratio = w->told.guidance_route_ratio;
    struct mdm_extent e = {.batch = 1, .visible = s->geometry.patches};
    struct mdm_routing routing;

    MDM_TRY(check_own(s, w));
    MDM_TRY(mdm_network_routing(&routing, s->model->network, s->model->options));
    MDM_TRY(mdm_routing_pass(&routing, s->model->options, 0, &e));
    if (routing.sprint || !mdm_extent_kept(&e))
        return mdm_fail(MASKDM_EINVAL,
                        "%s routed needs a network trained with routing; no token of this one passes a "
                        "block by",
                        mdm_options_said(w->o, "guidance_by"));
    if (ratio >= 1)
        return mdm_fail(MASKDM_EINVAL, "%s %g is not below 1", mdm_options_said(w->o, "guidance_route_ratio"), ratio);
    e = (struct mdm_extent){.batch = 1, .visible = s->geometry.patches};
    MDM_TRY(mdm_routing_pass(&routing, s->model->options, ratio, &e));
    if (!mdm_extent_kept(&e))
        return mdm_fail(MASKDM_EINVAL, "%s %g lets none of %lld patches pass",
                        mdm_options_said(w->o, "guidance_route_ratio"), ratio, (long long)s->geometry.patches);
    return mdm_denoiser_routed(&how->weaker, s->model, w->which, ratio, s->control);
}

static int by_path_drop(maskdm_sampler *s, struct mdm_guiding *how, const struct wish *w)
{
    MDM_TRY(check_own(s, w));
    MDM_TRY(mdm_network_check_deep(s->model->network, s->model->options, mdm_options_said(w->o, "guidance_by")));
    return mdm_denoiser_shallow(&how->weaker, s->model, w->which, s->control);
}

static int by_masking(maskdm_sampler *s, struct mdm_guiding *how, const struct wish *w)
{
    const int64_t parts = w->told.guidance_parts;
    char who[96];

    MDM_TRY(check_own(s, w));
    mdm_format(who, sizeof who, "%s masked", mdm_options_said(w->o, "guidance_by"));
    MDM_TRY(mdm_past_check_masked(&s->model->past, who));
    if (s->geometry.kinds > 1)
        return mdm_fail(MASKDM_EINVAL, "%s masked needs a network of one kind of patches; this one has %d",
                        mdm_options_said(w->o, "guidance_by"), s->geometry.kinds);
    if (s->geometry.patches % parts)
        return mdm_fail(MASKDM_EINVAL, "%s %lld does not divide the %lld patches of an image",
                        mdm_options_said(w->o, "guidance_parts"), (long long)parts, (long long)s->geometry.patches);
    return mdm_denoiser_masked(&how->weaker, s->model, w->which, parts, s->control);
}

/* As enum mdm_guidance_by has them. */
static int (*const weaker[])(maskdm_sampler *s, struct mdm_guiding *how,
                             const struct wish *w) = {by_guide, by_routing, by_masking,
                                                  by_path_drop};

int mdm_sampler_guide(maskdm_sampler *s, const maskdm_options *o, enum maskdm_weights which, maskdm_model *guide,
                      enum maskdm_weights guide_which)
{
    struct wish w = {.o = o, .which = which, .guide = guide, .guide_which = guide_which};
    struct mdm_guiding how = {.device = s->device,
                              .pixels = mdm_geometry_places(&s->geometry),
                              .channels = mdm_geometry_depth(&s->geometry)};

    mdm_options_read(o, &mdm_sampler_options, &w.told);
    how.unlabelled = !w.told.guidance_labels;
    MDM_TRY(mdm_guidance_read(&how.guidance, o));
    MDM_TRY(mdm_guidance_check(&how.guidance, how.channels, mdm_options_said(o, "guidance_channels")));
    if (how.guidance.scale == 1 && guide)
        return mdm_fail(MASKDM_EINVAL, "a guide has no effect at %s 1", mdm_options_said(o, "guidance"));
    if (how.guidance.scale == 1)
        return MASKDM_OK;
    MDM_TRY(weaker[w.told.guidance_by](s, &how, &w));
    how.asked = s->denoiser;
    s->denoiser = NULL;
    return mdm_denoiser_guided(&s->denoiser, &how);
}
