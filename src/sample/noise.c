/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where an image's noise comes from: streams of its own seed alone. One on the way between two seeds has, wherever
 * noise is drawn, that of both, turned into each other (Shoemake 1985, "Animating rotation with quaternion curves"):
 * between two normals as far as the angle goes, so that the length stays what the length of noise is. At the way's
 * ends it is the seed's own noise to the bit.
 */
#include "base/error.h"
#include "sample/job.h"

#include <math.h>

/* sin(part angle) / sin(angle), which for normals in one direction comes to `part`. */
static double share(double part, double angle)
{
    const double sine = sin(angle);

    return sine > 1e-9 ? sin(part * angle) / sine : part;
}

static double angle_between(const float *a, const float *b, int64_t n)
{
    double aa = 0, bb = 0, ab = 0;

    for (int64_t k = 0; k < n; k++) {
        aa += (double)a[k] * (double)a[k];
        bb += (double)b[k] * (double)b[k];
        ab += (double)a[k] * (double)b[k];
    }
    return acos(fmax(-1, fmin(1, ab / sqrt(aa * bb))));
}

/* a becomes the normals at `way` from a to b. */
static void turn(float *a, const float *b, int64_t n, double way)
{
    const double angle = angle_between(a, b, n), left = share(1 - way, angle), gone = share(way, angle);

    for (int64_t k = 0; k < n; k++)
        a[k] = (float)(left * (double)a[k] + gone * (double)b[k]);
}

static uint64_t seed_of(const maskdm_sampler *s, const struct mdm_job *j, int64_t i)
{
    return j->seeds.from ? j->seeds.from[j->first + i] : s->seed + (uint64_t)(j->first + i);
}

uint64_t mdm_job_seed(const maskdm_sampler *s, const struct mdm_job *j, int64_t i)
{
    const struct mdm_seeds *seeds = &j->seeds;

    return seeds->to && seeds->way[j->first + i] > 0.5 ? seeds->to[j->first + i] : seed_of(s, j, i);
}

void mdm_job_normals(const maskdm_sampler *s, const struct mdm_job *j, int64_t i, enum mdm_purpose purpose,
                     int64_t step, float *out)
{
    const struct mdm_seeds *seeds = &j->seeds;
    struct mdm_rng stream = mdm_rng_make(seed_of(s, j, i), purpose, 0, (uint64_t)step);

    mdm_rng_normal(out, (size_t)j->n, &stream, 0);
    if (!seeds->to)
        return;
    stream = mdm_rng_make(seeds->to[j->first + i], purpose, 0, (uint64_t)step);
    mdm_rng_normal(s->other, (size_t)j->n, &stream, 0);
    turn(out, s->other, j->n, seeds->way[j->first + i]);
}

int mdm_job_draw(maskdm_sampler *s, const struct mdm_job *j, enum mdm_purpose purpose, int64_t step, float *out)
{
    struct mdm_backend *b = mdm_device_backend(s->device);

    if (!j->seeds.to) {
        for (int64_t i = 0; i < j->batch; i++)
            s->streams[i] = mdm_rng_make(seed_of(s, j, i), purpose, 0, (uint64_t)step);
        return b->v->normal(b, out, j->batch, j->n, s->streams);
    }
    for (int64_t i = 0; i < j->batch; i++)
        mdm_job_normals(s, j, i, purpose, step, s->shown + i * j->n);
    return b->v->upload(b, out, s->shown, (size_t)(j->batch * j->n) * sizeof *out);
}

int mdm_job_noise(maskdm_sampler *s, struct mdm_job *j, int64_t step)
{
    struct mdm_backend *b = mdm_device_backend(s->device);

    if (!j->noise)
        return mdm_job_draw(s, j, MDM_DRAW_SAMPLER, step, s->spare);
    return b->v->upload(b, s->spare, j->noise + (j->drawn++ * j->count + j->first) * j->n,
                        (size_t)(j->batch * j->n) * sizeof *s->spare);
}
