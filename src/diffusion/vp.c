/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Variance-preserving processes in continuous time, by how the noise-to-signal ratio grows:
 *
 *     linear  betas on a line (vp_line.h)
 *     cosine  ln ratio = ln tan of an angle that grows evenly, less a shift for the resolution, ln(noise_d / image_d)
 *             (Hoogeboom et al. 2023, arXiv 2301.11093, eq. 1, 4 and 5): the noise is chosen as for images of noise_d
 *             pixels; interpolated, as for noise_d_high at the image and for noise_d_low at the noise
 */
#include "diffusion/vp_line.h"

#include "base/alloc.h"
#include "base/error.h"

#include <math.h>

enum { LINEAR, COSINE }; /* vp_shape */

struct options {
    unsigned vp_shape;
    double vp_beta_min, vp_beta_max, logsnr_min, logsnr_max;
    int64_t image_d, noise_d, noise_d_low, noise_d_high;
    double time_scale;
};

#define SIDE .min = 1, .max = 65536, .unit = "pixels", .when = "cosine"

static const struct mdm_option rows[] = {
    {MDM_CHOICE(options, vp_shape), .standard = "linear", .choices = "linear|cosine",
     .help = "what grows evenly: betas, or the angle whose tangent is the noise-to-signal ratio"},
    {MDM_OPTION(options, vp_beta_min), .standard = "0.1", .min = 1e-6, .max = 1e3, .when = "linear",
     .alias = "beta_min", .help = "beta at the image"},
    {MDM_OPTION(options, vp_beta_max), .standard = "20", .min = 1e-6, .max = 1e3, .when = "linear",
     .alias = "beta_max", .help = "beta at the noise"},
    {MDM_OPTION(options, logsnr_min), .standard = "-15", .min = -60, .max = 60, .when = "cosine",
     .help = "log signal-to-noise ratio at the noise, before the shift"},
    {MDM_OPTION(options, logsnr_max), .standard = "15", .min = -60, .max = 60, .when = "cosine",
     .help = "log signal-to-noise ratio at the image, before the shift"},
    {MDM_OPTION(options, image_d), SIDE, .help = "image side, for the shift by (noise_d / image_d)^2"},
    {MDM_OPTION(options, noise_d), SIDE, .help = "side of images that the noise would suit without a shift"},
    {MDM_OPTION(options, noise_d_low), SIDE, .help = "the same at the noise, with noise_d_high in place of noise_d"},
    {MDM_OPTION(options, noise_d_high), SIDE, .help = "the same at the image"},
    {MDM_OPTION(options, time_scale), .standard = "999", .min = 1e-3, .max = 1e6,
     .help = "what the network is told at the end of time, where that is 1"},
};
static const struct mdm_option_table table = {
    "vp", "", "continuous time, signal and noise of constant sum", rows, MDM_LENGTH(rows), sizeof(struct options)};

struct vp {
    struct mdm_process base;
    double (*ratio)(const struct vp *p, double time);
    double (*time_of)(const struct vp *p, double ratio);
    struct mdm_level (*slope)(const struct vp *p, struct mdm_level at);
    struct mdm_vp_line line;
    double angle, sweep, near, far; /* the angle at 0, what it grows by, and ln(noise_d / image_d) at both ends */
    double time_scale;
};

/* ---- betas on a line ---- */

static double linear_ratio(const struct vp *p, double time)
{
    return mdm_vp_line_ratio(&p->line, time);
}

static double linear_time(const struct vp *p, double ratio)
{
    return mdm_vp_line_time(&p->line, ratio);
}

static struct mdm_level linear_slope(const struct vp *p, struct mdm_level at)
{
    return mdm_vp_line_slope(&p->line, at);
}

static int make_linear(struct vp *p, const struct options *o, const maskdm_options *options)
{
    if (o->vp_beta_min > o->vp_beta_max)
        return mdm_fail(MASKDM_EINVAL, "%s %g is above %s %g", mdm_options_said(options, "vp_beta_min"),
                        o->vp_beta_min, mdm_options_said(options, "vp_beta_max"), o->vp_beta_max);
    p->ratio = linear_ratio;
    p->time_of = linear_time;
    p->slope = linear_slope;
    p->line = (struct mdm_vp_line){(o->vp_beta_max - o->vp_beta_min) / 2, o->vp_beta_min};
    p->base.first = 1e-5; /* at 0 there is no noise to predict */
    return MASKDM_OK;
}

/* ---- the angle ---- */

static double cosine_ratio(const struct vp *p, double time)
{
    return log(tan(p->angle + time * p->sweep)) - (time * p->far + (1 - time) * p->near);
}

/* The ratio grows with time, which is halved until the last bit where two shifts leave no closed form. */
static double cosine_time(const struct vp *p, double ratio)
{
    double low = 0, high = 1;

    if (p->near == p->far)
        return (atan(exp(ratio + p->near)) - p->angle) / p->sweep;
    for (int i = 0; i < 60; i++) {
        const double middle = (low + high) / 2;

        *(cosine_ratio(p, middle) < ratio ? &low : &high) = middle;
    }
    return (low + high) / 2;
}

/* With r = ln ratio, signal' = -signal noise^2 r' and noise' = noise signal^2 r'. */
static struct mdm_level cosine_slope(const struct vp *p, struct mdm_level at)
{
    const double angle = p->angle + cosine_time(p, log(at.noise / at.signal)) * p->sweep;
    const double turn = at.signal * at.noise * (p->sweep / (sin(angle) * cos(angle)) - (p->far - p->near));

    return (struct mdm_level){-at.noise * turn, at.signal * turn};
}

static int check_shift(const struct options *o, const maskdm_options *options)
{
    const int both = o->noise_d_low && o->noise_d_high;

    if (!o->image_d && !o->noise_d && !o->noise_d_low && !o->noise_d_high)
        return MASKDM_OK;
    if (!o->image_d || (o->noise_d ? o->noise_d_low || o->noise_d_high : !both))
        return mdm_fail(MASKDM_EINVAL, "a shift of the noise needs %s with %s, or with %s and %s",
                        mdm_options_said(options, "image_d"), mdm_options_said(options, "noise_d"),
                        mdm_options_said(options, "noise_d_low"), mdm_options_said(options, "noise_d_high"));
    if (both && o->noise_d_low > o->noise_d_high)
        return mdm_fail(MASKDM_EINVAL, "%s %lld is above %s %lld", mdm_options_said(options, "noise_d_low"),
                        (long long)o->noise_d_low, mdm_options_said(options, "noise_d_high"),
                        (long long)o->noise_d_high);
    return MASKDM_OK;
}

static double shift_of(const struct options *o, int64_t noise_d)
{
    return o->image_d ? log((double)(o->noise_d ? o->noise_d : noise_d) / (double)o->image_d) : 0;
}

static int make_cosine(struct vp *p, const struct options *o, const maskdm_options *options)
{
    if (o->logsnr_min >= o->logsnr_max)
        return mdm_fail(MASKDM_EINVAL, "%s %g is not below %s %g", mdm_options_said(options, "logsnr_min"),
                        o->logsnr_min, mdm_options_said(options, "logsnr_max"), o->logsnr_max);
    MDM_TRY(check_shift(o, options));
    p->ratio = cosine_ratio;
    p->time_of = cosine_time;
    p->slope = cosine_slope;
    p->angle = atan(exp(-o->logsnr_max / 2));
    p->sweep = atan(exp(-o->logsnr_min / 2)) - p->angle;
    p->near = shift_of(o, o->noise_d_high);
    p->far = shift_of(o, o->noise_d_low);
    p->base.image = -1; /* at 0 there is noise, if little */
    return MASKDM_OK;
}

/* ---- the process ---- */

typedef int (*maker)(struct vp *p, const struct options *o, const maskdm_options *options);

static int create(struct mdm_process **out, maskdm_options *options)
{
    static const maker make[] = {[LINEAR] = make_linear, [COSINE] = make_cosine};
    struct vp *p = mdm_need(1, sizeof *p, "a scheduler");
    struct options o;
    int status;

    *out = NULL;
    if (!p)
        return MASKDM_ENOMEM;
    mdm_options_read(options, &table, &o);
    p->base = (struct mdm_process){
        .kind = &mdm_process_vp, .last = 1, .sigma_data = 1, .noise_scale = 1, .shift = 1, .draw_deviation = 1};
    p->time_scale = o.time_scale;
    status = make[o.vp_shape](p, &o, options);
    if (status < 0) {
        mdm_free(p);
        return status;
    }
    *out = &p->base;
    return MASKDM_OK;
}

static const struct vp *vp_of(const struct mdm_process *p)
{
    return (const struct vp *)p;
}

static double ratio(const struct mdm_process *p, double time)
{
    return vp_of(p)->ratio(vp_of(p), time);
}

static double time_of(const struct mdm_process *p, double ratio)
{
    return vp_of(p)->time_of(vp_of(p), ratio);
}

static struct mdm_level at(const struct mdm_process *p, double time)
{
    const double r = ratio(p, time);

    return (struct mdm_level){1 / sqrt(1 + exp(2 * r)), 1 / sqrt(1 + exp(-2 * r))};
}

static struct mdm_level slope(const struct mdm_process *p, struct mdm_level at)
{
    return vp_of(p)->slope(vp_of(p), at);
}

static double time_at(const struct mdm_process *p, double share)
{
    return p->first + share * (p->last - p->first);
}

static double network_time(const struct mdm_process *p, double time)
{
    return vp_of(p)->time_scale * time;
}

const struct mdm_process_class mdm_process_vp = {.name = "vp",
                                                 .options = &table,
                                                 .predictions = "noise|x0|v|score",
                                                 .preserves = 1,
                                                 .spacing = "time",
                                                 .create = create,
                                                 .at = at,
                                                 .ratio = ratio,
                                                 .time_of = time_of,
                                                 .slope = slope,
                                                 .time_at = time_at,
                                                 .drawn = "uniform",
                                                 .network_time = network_time};
