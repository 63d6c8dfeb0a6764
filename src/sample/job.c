/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sampling loop. Images go in groups of at most batch_size; each group runs all its evaluations before the next
 * begins.
 */
#include "sample/sampler.h"

#include "base/checked.h"
#include "base/clock.h"
#include "base/error.h"

#include <string.h>

/* One call of run or run_from, and the group that is under way. */
struct job {
    int64_t count, n;      /* images, values of one */
    const uint64_t *seeds; /* NULL: the sampler's own + i */
    const int32_t *labels; /* NULL: all null */
    const float *noise;    /* given noise, draws x count x n; NULL: drawn */
    int64_t drawn;         /* by the group */
    int64_t done, all;     /* evaluations of all groups together */
    double began;          /* seconds */
    int64_t first, batch;  /* the group */
};

static uint64_t seed_of(const maskdm_sampler *s, const struct job *j, int64_t i)
{
    return j->seeds ? j->seeds[j->first + i] : s->seed + (uint64_t)(j->first + i);
}

static int draw(maskdm_sampler *s, const struct job *j, enum mdm_purpose purpose, int64_t step, float *out)
{
    struct mdm_backend *b = mdm_device_backend(s->device);

    for (int64_t i = 0; i < j->batch; i++)
        s->streams[i] = mdm_rng_make(seed_of(s, j, i), purpose, 0, (uint64_t)step);
    return b->v->normal(b, out, j->batch, j->n, s->streams);
}

/* Noise into s->spare, from the stream of the step or from what the caller gave. */
static int take_noise(maskdm_sampler *s, struct job *j, int64_t step)
{
    struct mdm_backend *b = mdm_device_backend(s->device);

    if (!j->noise)
        return draw(s, j, MDM_DRAW_SAMPLER, step, s->spare);
    return b->v->upload(b, s->spare, j->noise + (j->drawn++ * j->count + j->first) * j->n,
                        (size_t)(j->batch * j->n) * sizeof *s->spare);
}

/* From device memory to s->shown. */
static int show(maskdm_sampler *s, const struct job *j, const float *images)
{
    struct mdm_backend *b = mdm_device_backend(s->device);

    return b->v->download(b, s->shown, images, (size_t)(j->batch * j->n) * sizeof *images);
}

/* Show what evaluation e left, with no lock held. */
static int report(maskdm_sampler *s, struct job *j, int64_t e)
{
    struct maskdm_progress p = mdm_progress_blank();
    const double seconds = mdm_clock() - j->began;
    const int64_t all = s->method.evaluations;

    j->done++;
    if (s->preview && s->preview(s->preview_user, e + 1, all, j->first, j->batch, s->shown))
        return mdm_fail(MASKDM_ECANCELED, "the preview callback cancelled sampling");
    p.step = j->done;
    p.steps = j->all;
    p.images = j->first + (e + 1 == all ? j->batch : 0);
    p.seconds_left = seconds / (double)j->done * (double)(j->all - j->done);
    if (seconds > 0)
        p.images_per_second = (double)p.images / seconds;
    if (!s->quiet)
        mdm_control_report(s->control, &p);
    return j->done < j->all ? mdm_control_check(s->control, "sampling") : MASKDM_OK;
}

/* Noise where the solver adds some before it asks. The device is entered. */
static int churn(maskdm_sampler *s, struct job *j, const struct mdm_evaluation *e)
{
    struct mdm_backend *b = mdm_device_backend(s->device);
    const struct mdm_mix job = {
        .n = j->batch * j->n, .count = 2, .x = {s->x, s->spare}, .a = {e->before_x, e->before_z}, .y = s->x};

    MDM_TRY(take_noise(s, j, e->step));
    return b->v->mix(b, &job);
}

/* The step that follows from what was predicted. The device is entered. */
static int step(maskdm_sampler *s, struct job *j, const struct mdm_evaluation *e)
{
    struct mdm_backend *b = mdm_device_backend(s->device);
    struct mdm_solve job = mdm_method_job(&s->method, e);

    if (e->next.z != 0)
        MDM_TRY(take_noise(s, j, e->step));
    job.n = j->batch * j->n;
    job.x = s->x;
    job.f = s->prediction;
    job.z = s->spare;
    job.start = s->start;
    job.before = s->before;
    job.x0 = s->x0;
    MDM_TRY(b->v->solve(b, &job));
    return s->preview ? show(s, j, s->x0) : MASKDM_OK;
}

static int on_device(maskdm_sampler *s, struct job *j, const struct mdm_evaluation *e,
                     int (*work)(maskdm_sampler *, struct job *, const struct mdm_evaluation *))
{
    int status;

    MDM_TRY(mdm_device_enter(s->device));
    status = work(s, j, e);
    mdm_device_leave(s->device);
    return status;
}

/* One evaluation, and the step that follows it. */
static int evaluate(maskdm_sampler *s, struct job *j, const struct mdm_evaluation *e)
{
    const struct mdm_question q = {.batch = j->batch,
                                   .time = e->time,
                                   .x = s->x,
                                   .labels = j->labels ? j->labels + j->first : NULL,
                                   .spare = s->x0};

    if (e->before_z != 0)
        MDM_TRY(on_device(s, j, e, churn));
    MDM_TRY(s->denoiser->kind->ask(s->denoiser, &q, s->prediction));
    return on_device(s, j, e, step);
}

/* All evaluations of the group whose x_T stands in s->x. */
static int run_group(maskdm_sampler *s, struct job *j)
{
    j->drawn = 0;
    for (int64_t i = 0; i < s->method.evaluations; i++) {
        const struct mdm_evaluation e = mdm_method_evaluation(&s->method, i);
        float *before = s->before;

        MDM_TRY(evaluate(s, j, &e));
        MDM_TRY(report(s, j, i));
        if (before) {
            s->before = s->x0;
            s->x0 = before;
        }
    }
    return MASKDM_OK;
}

/* The group's x_T from unit normals in s->x, its images, and their way to s->shown. given: the normals, or NULL. */
static int draw_group(maskdm_sampler *s, struct job *j, const float *given)
{
    struct mdm_backend *b = mdm_device_backend(s->device);
    const double scale = mdm_method_start(&s->method);
    const struct mdm_mix start = {.n = j->batch * j->n, .count = 1, .x = {s->x}, .a = {scale}, .y = s->x};
    int status;

    MDM_TRY(mdm_device_enter(s->device));
    status = given ? b->v->upload(b, s->x, given, (size_t)(j->batch * j->n) * sizeof *given)
                   : draw(s, j, MDM_DRAW_SAMPLE, 0, s->x);
    if (status == MASKDM_OK && scale != 1)
        status = b->v->mix(b, &start);
    mdm_device_leave(s->device);
    MDM_TRY(status);
    MDM_TRY(run_group(s, j));
    MDM_TRY(mdm_device_enter(s->device));
    status = show(s, j, s->x);
    mdm_device_leave(s->device);
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

/* Start a job of `count` images; their bytes as floats must be countable, as often as there may be noise given. */
static int begin(maskdm_sampler *s, struct job *j, int64_t count)
{
    const struct mdm_geometry *g = &s->geometry;
    int64_t all;

    j->count = count;
    j->n = g->height * g->width * g->channels;
    if (count < 0 || mdm_mul_i64(&all, count, j->n) ||
        mdm_mul_i64(&all, all, s->method.evaluations * (int64_t)sizeof(float)))
        return mdm_fail(MASKDM_EINVAL, "%lld images are out of range", (long long)count);
    j->all = (count / s->batch_size + (count % s->batch_size != 0)) * s->method.evaluations;
    j->began = mdm_clock();
    MDM_TRY(mdm_sampler_check_labels(s, count, j->labels));
    return mdm_control_check(s->control, "sampling");
}

static int64_t group_size(const maskdm_sampler *s, const struct job *j)
{
    const int64_t left = j->count - j->first;

    return left < s->batch_size ? left : s->batch_size;
}

int mdm_sampler_each(maskdm_sampler *s, int64_t count, const uint64_t *seeds, const int32_t *labels,
                     mdm_sampler_take take, void *user)
{
    struct job j = {.seeds = seeds, .labels = labels};

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
    struct job j = {.labels = labels, .noise = noise};

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
