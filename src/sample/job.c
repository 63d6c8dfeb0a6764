/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sampling loop. Images go in groups of at most batch_size; each group runs all its evaluations before the next
 * begins.
 */
#include "sample/job.h"

#include "base/checked.h"
#include "base/clock.h"
#include "base/error.h"

#include <string.h>

/* Tell of an evaluation, with no lock held. */
static int report(maskdm_sampler *s, struct mdm_job *j)
{
    struct maskdm_progress p = mdm_progress_blank();
    const double seconds = mdm_clock() - j->began;

    j->done++;
    p.step = j->done;
    p.steps = j->all;
    p.images = j->first + (j->done % j->each ? 0 : j->batch);
    p.seconds_left = seconds / (double)j->done * (double)(j->all - j->done);
    if (seconds > 0)
        p.images_per_second = (double)p.images / seconds;
    if (!s->quiet)
        mdm_control_report(s->control, &p);
    return j->done < j->all ? mdm_control_check(s->control, "sampling") : MASKDM_OK;
}

/* A step that is done again has other noise. */
static int64_t noise_step(const maskdm_sampler *s, const struct mdm_job *j, const struct mdm_evaluation *e)
{
    return e->step + j->walk.jumps * s->method.steps;
}

/* Noise where the solver adds some before it asks. The device is entered. */
static int churn(maskdm_sampler *s, struct mdm_job *j, const struct mdm_evaluation *e)
{
    struct mdm_backend *b = mdm_device_backend(s->device);
    const struct mdm_mix job = {
        .n = j->batch * j->n, .count = 2, .x = {s->x, s->spare}, .a = {e->before_x, e->before_z}, .y = s->x};

    MDM_TRY(mdm_job_noise(s, j, noise_step(s, j, e)));
    return b->v->mix(b, &job);
}

/* How far the values of each image may go in this step. */
static int limit(maskdm_sampler *s, const struct mdm_job *j, struct mdm_solve *job)
{
    struct mdm_backend *b = mdm_device_backend(s->device);
    const struct mdm_quantile quantile = {.batch = j->batch,
                                          .n = j->n,
                                          .clean_x = job->clean_x,
                                          .clean_f = job->clean_f,
                                          .share = s->method.threshold,
                                          .x = job->x,
                                          .f = job->f,
                                          .out = s->limit};

    MDM_TRY(b->v->quantile(b, &quantile));
    mdm_method_limits(&s->method, j->batch, s->limit);
    job->limit = s->limit;
    job->image = j->n;
    return MASKDM_OK;
}

/* The step that follows from what was predicted. The device is entered. */
static int step(maskdm_sampler *s, struct mdm_job *j, const struct mdm_evaluation *e)
{
    struct mdm_backend *b = mdm_device_backend(s->device);
    struct mdm_solve job = mdm_method_job(&s->method, e);
    struct mdm_range within[MDM_MOST_DEPTH];

    if (e->next.z != 0)
        MDM_TRY(mdm_job_noise(s, j, noise_step(s, j, e)));
    job.n = j->batch * j->n;
    job.x = s->x;
    job.f = s->prediction;
    job.z = s->spare;
    job.start = s->start;
    job.spread = s->variance;
    for (int k = 0; k < MDM_BEFORE; k++)
        job.before[k] = s->before[k];
    job.x0 = s->x0;
    if (s->geometry.space && job.clip != 0) {
        job.channels = mdm_geometry_depth(&s->geometry);
        job.within = within;
        mdm_space_ranges(s->geometry.space, s->geometry.channels, job.clip, within);
    }
    if (s->method.threshold > 0)
        MDM_TRY(limit(s, j, &job));
    return b->v->solve(b, &job);
}

static int on_device(maskdm_sampler *s, struct mdm_job *j, const struct mdm_evaluation *e,
                     int (*work)(maskdm_sampler *, struct mdm_job *, const struct mdm_evaluation *))
{
    int status;

    MDM_TRY(mdm_device_enter(s->device));
    status = work(s, j, e);
    mdm_device_leave(s->device);
    return status;
}

/* One evaluation, and the step that follows it. */
static int evaluate(maskdm_sampler *s, struct mdm_job *j, const struct mdm_evaluation *e)
{
    const struct mdm_question q = {.batch = j->batch,
                                   .time = e->at.time,
                                   .level = e->at.level,
                                   .x = s->x,
                                   .labels = j->labels ? j->labels + j->first : NULL,
                                   .spare = s->x0,
                                   .seeds = s->seeds,
                                   .evaluation = j->evaluation,
                                   .variance = s->variance};

    if (e->before_z != 0)
        MDM_TRY(on_device(s, j, e, churn));
    MDM_TRY(s->denoiser->kind->ask(s->denoiser, &q, s->prediction));
    return on_device(s, j, e, step);
}

/* The evaluations of the step that comes next, of which *i is the first; *i is then the one behind them. */
static int run_step(maskdm_sampler *s, struct mdm_job *j, int64_t *i)
{
    for (int begun = 0; *i < s->method.evaluations; begun = 1, ++*i) {
        const struct mdm_evaluation e = mdm_method_evaluation(&s->method, *i);

        if (e.step != j->walk.at)
            break;
        if (begun)
            MDM_TRY(mdm_job_within(s, j, e.at.level));
        mdm_method_turn(&s->method, &s->x0, s->before);
        j->evaluation = *i + j->walk.jumps * s->method.evaluations;
        MDM_TRY(evaluate(s, j, &e));
        MDM_TRY(report(s, j));
    }
    return MASKDM_OK;
}

/* All steps of the group whose x stands in s->x, before the first of them. */
static int run_group(maskdm_sampler *s, struct mdm_job *j)
{
    int64_t i = s->method.restart = mdm_method_first(&s->method, j->walk.at);

    j->drawn = 0;
    for (int64_t k = 0; k < j->batch; k++)
        s->seeds[k] = mdm_job_seed(s, j, k);
    MDM_TRY(mdm_job_between(s, j, j->walk.at));
    while (j->walk.at < j->walk.steps) {
        int64_t back;

        MDM_TRY(run_step(s, j, &i));
        mdm_walk_on(&j->walk);
        MDM_TRY(mdm_job_between(s, j, j->walk.at));
        back = mdm_walk_back(&j->walk);
        if (back) {
            MDM_TRY(mdm_job_back(s, j, j->walk.at + back, j->walk.at));
            i = s->method.restart = mdm_method_first(&s->method, j->walk.at);
        }
    }
    return MASKDM_OK;
}

/* From unit normals in s->x to where the first step finds it: x_T, or a picture with noise. */
static int start(maskdm_sampler *s, struct mdm_job *j)
{
    struct mdm_backend *b = mdm_device_backend(s->device);
    const double scale = s->method.start;
    const struct mdm_level at = s->method.way[s->first_step].from.level;
    struct mdm_mix mix = {.n = j->batch * j->n, .count = 1, .x = {s->x, s->spare}, .a = {scale}, .y = s->x};

    if (s->first_step) {
        for (int64_t i = 0; i < j->batch; i++)
            memcpy(s->shown + i * j->n, mdm_pictures_at(&s->start_from, j->first + i),
                   (size_t)j->n * sizeof *s->shown);
        MDM_TRY(b->v->upload(b, s->spare, s->shown, (size_t)(j->batch * j->n) * sizeof *s->shown));
        mix.count = 2;
        mix.a[0] = at.noise;
        mix.a[1] = at.signal;
    }
    return mix.count > 1 || scale != 1 ? b->v->mix(b, &mix) : MASKDM_OK;
}

/* The group's images, and their way to s->shown. given: unit normals to begin with, or NULL. */
static int draw_group(maskdm_sampler *s, struct mdm_job *j, const float *given)
{
    struct mdm_backend *b = mdm_device_backend(s->device);
    const size_t bytes = (size_t)(j->batch * j->n) * sizeof *s->x;
    int status;

    j->walk = mdm_sampler_walk(s);
    MDM_TRY(mdm_device_enter(s->device));
    status = given ? b->v->upload(b, s->x, given, bytes) : mdm_job_draw(s, j, MDM_DRAW_SAMPLE, 0, s->x);
    if (status == MASKDM_OK)
        status = start(s, j);
    mdm_device_leave(s->device);
    MDM_TRY(status);
    MDM_TRY(run_group(s, j));
    MDM_TRY(mdm_device_enter(s->device));
    status = b->v->download(b, s->shown, s->x, bytes);
    mdm_device_leave(s->device);
    if (status == MASKDM_OK)
        mdm_sampler_leave(s, j->batch);
    return status;
}

int mdm_sampler_check_labels(const maskdm_sampler *s, int64_t count, const int32_t *labels)
{
    for (int64_t i = 0; labels && i < count; i++)
        if (labels[i] < -1 || labels[i] >= s->geometry.classes)
            return mdm_fail(MASKDM_EINVAL, "label %d of image %lld; the network has %lld classes", (int)labels[i],
                            (long long)i, (long long)s->geometry.classes);
    return MASKDM_OK;
}

/* Evaluations of a group, over all that it does. */
static int64_t evaluations(const maskdm_sampler *s)
{
    struct mdm_walk w = mdm_sampler_walk(s);
    int64_t all = 0;

    if (!w.first && w.times == 1)
        return s->method.evaluations;
    for (; w.at < w.steps; (void)mdm_walk_back(&w)) {
        all += mdm_method_first(&s->method, w.at + 1) - mdm_method_first(&s->method, w.at);
        mdm_walk_on(&w);
    }
    return all;
}

/* Start a job of `count` images; their bytes as floats must be countable, as often as there may be noise given. */
static int begin(maskdm_sampler *s, struct mdm_job *j, int64_t count)
{
    const struct mdm_geometry *g = &s->geometry;
    int64_t all;

    j->count = count;
    j->n = g->height * g->width * g->channels;
    if (count < 0 || mdm_mul_i64(&all, count, j->n) ||
        mdm_mul_i64(&all, all, s->method.evaluations * (int64_t)sizeof(float)))
        return mdm_fail(MASKDM_EINVAL, "%lld images are out of range", (long long)count);
    j->each = evaluations(s);
    j->all = (count / s->batch_size + (count % s->batch_size != 0)) * j->each;
    j->began = mdm_clock();
    MDM_TRY(mdm_sampler_check_labels(s, count, j->labels));
    return mdm_control_check(s->control, "sampling");
}

static int64_t group_size(const maskdm_sampler *s, const struct mdm_job *j)
{
    const int64_t left = j->count - j->first;

    return left < s->batch_size ? left : s->batch_size;
}

int mdm_sampler_each(maskdm_sampler *s, int64_t count, struct mdm_seeds seeds, const int32_t *labels,
                     mdm_sampler_take take, void *user)
{
    struct mdm_job j = {.seeds = seeds, .labels = labels};

    MDM_TRY(begin(s, &j, count));
    for (; j.first < count; j.first += j.batch) {
        j.batch = group_size(s, &j);
        MDM_TRY(mdm_sampler_ready_group(s, j.batch));
        MDM_TRY(draw_group(s, &j, NULL));
        MDM_TRY(take(user, j.first, j.batch, s->shown));
    }
    return MASKDM_OK;
}

int mdm_sampler_run_from(maskdm_sampler *s, int64_t count, float *x, const float *noise, const int32_t *labels)
{
    const int64_t draws = mdm_method_draws(&s->method);
    struct mdm_job j = {.labels = labels, .noise = noise};

    if (s->first_step || s->hole)
        return mdm_fail(MASKDM_EINVAL, "given noise is for a sampler that begins with it, and has no pictures");
    MDM_TRY(begin(s, &j, count));
    if (!noise && draws > 0)
        return mdm_fail(MASKDM_EINVAL, "%s with these options needs %lld x %lld x %lld values of noise, not NULL",
                        s->method.kind->name, (long long)draws, (long long)count, (long long)j.n);
    for (; j.first < count; j.first += j.batch) {
        j.batch = group_size(s, &j);
        MDM_TRY(mdm_sampler_ready_group(s, j.batch));
        MDM_TRY(draw_group(s, &j, x + j.first * j.n));
        memcpy(x + j.first * j.n, s->shown, (size_t)(j.batch * j.n) * sizeof *x);
    }
    return MASKDM_OK;
}
