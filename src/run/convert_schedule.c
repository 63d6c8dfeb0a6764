/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The schedule whose betas a checkpoint holds. */
#include "run/convert_schedule.h"

#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/discrete_betas_file.h"
#include "diffusion/discrete.h"
#include "diffusion/options.h"
#include "text/text.h"

#include <math.h>
#include <string.h>

enum { MOST_STEPS = 100000 };

/* Within what half precision leaves of a number. */
static int matches(const struct mdm_schedule *schedule, const double *beta, int64_t count)
{
    if (!schedule || schedule->timesteps != count)
        return 0;
    for (int64_t t = 0; t < count; t++)
        if (!(fabs(beta[t] - schedule->beta[t]) <= 1e-3 * schedule->beta[t] + 1e-6))
            return 0;
    return 1;
}

/* The tensor's values in fresh memory; NULL and MASKDM_OK where there is none that could be betas. */
static int read_betas(double **beta, int64_t *count, struct mdm_tensorfile *s, int64_t at)
{
    int status;

    *beta = NULL;
    if (at < 0 || s->tensor[at].rank != 1 || s->tensor[at].elements < 1 || s->tensor[at].elements > MOST_STEPS)
        return MASKDM_OK;
    *count = s->tensor[at].elements;
    *beta = mdm_need((size_t)*count, sizeof **beta, "the schedule of a checkpoint");
    if (!*beta)
        return MASKDM_ENOMEM;
    status = mdm_tensorfile_read_f64(s, at, *beta, *count);
    if (status < 0) {
        mdm_free(*beta);
        *beta = NULL;
    }
    return status;
}

/* The scheduler of some options; *out stays only where its betas match. */
static int try_schedule(maskdm_scheduler **out, const maskdm_options *o, const double *beta, int64_t count)
{
    MDM_TRY(mdm_scheduler_create(out, o));
    if (!matches(mdm_discrete_schedule((*out)->process), beta, count))
        mdm_scheduler_drop(out);
    return MASKDM_OK;
}

/* A schedule by its name, and by its ends where it has some. One that cannot have so few timesteps is a guess gone
 * wrong. */
static int guess(maskdm_scheduler **out, const maskdm_options *options, const char *name, const double *ends[2],
                 const double *beta, int64_t count)
{
    static const char *const end[2] = {"beta_start", "beta_end"};
    maskdm_options *o;
    int status;

    MDM_TRY(mdm_options_clone(&o, options));
    status = mdm_options_set(o, "schedule", name);
    for (int i = 0; ends && i < 2 && status == MASKDM_OK; i++) {
        struct mdm_text text = {0};

        mdm_text_add_double(&text, *ends[i]);
        status = text.data ? mdm_options_set(o, end[i], text.data) : MASKDM_ENOMEM;
        mdm_text_free(&text);
    }
    if (status == MASKDM_OK)
        status = try_schedule(out, o, beta, count);
    mdm_options_release(&o);
    return status == MASKDM_EINVAL ? MASKDM_OK : status;
}

/* The numbers as they are. */
static int keep(maskdm_scheduler **out, maskdm_options *o, const double *beta, int64_t count,
                const struct mdm_log *log)
{
    MDM_TRY(mdm_options_set(o, "schedule", "given"));
    MDM_TRY(mdm_betas_keep(o, beta, count));
    MDM_TRY(mdm_scheduler_create(out, o));
    mdm_log_line(
        log, MASKDM_LOG_INFO,
        "the checkpoint's %lld betas, from %.4g to %.4g, are those of no schedule that has a name: the model "
        "file keeps the numbers",
        (long long)count, beta[0], beta[count - 1]);
    return MASKDM_OK;
}

static int follow(maskdm_scheduler **out, maskdm_options *o, const maskdm_options *given, const double *beta,
                  int64_t count, const struct mdm_log *log)
{
    static const struct {
        const char *name;
        int ends;
    } known[] = {{"cosine", 0}, {"linear", 0}, {"sigmoid", 0}, {"linear", 1}, {"scaled_linear", 1}};
    const double *ends[2] = {&beta[0], &beta[count - 1]};

    if (strcmp(mdm_options_text(o, "process"), "discrete") != 0)
        return MASKDM_OK;
    if (!mdm_options_is_set(given, "timesteps"))
        MDM_TRY(mdm_options_set_int(o, "timesteps", count));
    if (mdm_options_is_set(given, "schedule") || mdm_options_is_set(given, "timesteps"))
        return try_schedule(out, o, beta, count);
    for (size_t i = 0; i < MDM_LENGTH(known) && !*out; i++)
        MDM_TRY(guess(out, o, known[i].name, known[i].ends ? ends : NULL, beta, count));
    return *out ? MASKDM_OK : keep(out, o, beta, count, log);
}

/* What the authors train with into what was left open. */
static int complete(maskdm_options *o, const maskdm_options *authors)
{
    const char *process = mdm_options_text(authors, "process");
    struct mdm_option_place p;

    if (mdm_options_is_set(o, "process") && strcmp(mdm_options_text(o, "process"), process) != 0)
        return MASKDM_OK;
    for (int64_t i = 0; mdm_option_at(&p, &mdm_scheduler_kind, i); i++) {
        const char *name = p.option->name;

        if (mdm_options_is_set(authors, name) && !mdm_options_is_set(o, name))
            MDM_TRY(mdm_options_set(o, name, mdm_options_text(authors, name)));
    }
    return MASKDM_OK;
}

static int follow_authors(maskdm_options *o, const struct mdm_network *network, const struct mdm_tensorfile *s)
{
    maskdm_options *authors;
    int status;

    if (!network->read_scheduler)
        return MASKDM_OK;
    MDM_TRY(mdm_options_create(&authors, &mdm_scheduler_kind));
    status = network->read_scheduler(authors, s);
    if (status == MASKDM_OK)
        status = complete(o, authors);
    mdm_options_release(&authors);
    return status;
}

int mdm_convert_schedule(maskdm_scheduler **out, const maskdm_options *options, const struct mdm_network *network,
                         struct mdm_tensorfile *s, int64_t betas, const struct mdm_log *log)
{
    maskdm_options *o = NULL;
    double *beta;
    int64_t count = 0;
    int status;

    *out = NULL;
    MDM_TRY(read_betas(&beta, &count, s, betas));
    status = mdm_options_extract(&o, options, &mdm_scheduler_kind);
    if (status == MASKDM_OK)
        status = follow_authors(o, network, s);
    if (status == MASKDM_OK && beta)
        status = follow(out, o, options, beta, count, log);
    if (status == MASKDM_OK && !*out) {
        if (beta)
            mdm_log_line(log, MASKDM_LOG_WARN,
                         "the checkpoint's %lld betas, from %.4g to %.4g, are not those of schedule %s with %s "
                         "timesteps",
                         (long long)count, beta[0], beta[count - 1], mdm_options_text(o, "schedule"),
                         mdm_options_text(o, "timesteps"));
        status = mdm_scheduler_create(out, o);
    }
    mdm_options_release(&o);
    mdm_free(beta);
    return status;
}

int mdm_convert_sampler(maskdm_model *model, const struct mdm_tensorfile *s)
{
    const struct mdm_network *network = model->network;
    maskdm_options *authors;
    int theirs, status;

    if (!network->read_sampler)
        return MASKDM_OK;
    MDM_TRY(mdm_options_create(&authors, &mdm_scheduler_kind));
    status = network->read_scheduler(authors, s);
    theirs = !strcmp(mdm_options_text(authors, "process"), mdm_options_text(model->scheduler->options, "process"));
    mdm_options_release(&authors);
    MDM_TRY(status);
    if (!theirs)
        return MASKDM_OK;
    MDM_TRY(mdm_options_create(&model->sampler, &mdm_sampler_kind));
    return network->read_sampler(model->sampler, model->options);
}
