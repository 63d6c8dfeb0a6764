/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The losses' weights. SNR = (signal / noise)^2.
 */
#include "diffusion/weight.h"

#include "base/error.h"

#include <math.h>

static const double PI = 3.14159265358979323846;

static double snr(struct mdm_level at)
{
    const double ratio = at.signal / at.noise;

    return ratio * ratio;
}

static double none(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    (void)w;
    (void)p;
    (void)at;
    (void)share;
    return 1;
}

/* The error of the noise that follows from the prediction. */
static double noise(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    const double factor = at.signal / at.noise * share;

    (void)w;
    (void)p;
    return factor * factor;
}

static double x0(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    (void)w;
    (void)p;
    (void)at;
    return share * share;
}

/* The error of v, or of the velocity where a path is followed over time. */
static double v(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    const double turn = mdm_process_is_straight(p) ? mdm_process_turn(p, at) : 1;
    const double factor = share * turn / fmax(at.noise, w->least_noise * p->noise_scale);

    return factor * factor;
}

/* Song et al. 2021 (arXiv 2101.09258): how fast ln(noise / signal) grows, times the error of the noise. */
static double likelihood(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    return noise(w, p, at, share) * mdm_process_turn(p, at) / (at.signal * at.noise);
}

/* Hang et al. 2023 (arXiv 2303.09556): min(SNR, gamma) times the error of x0. */
static double min_snr(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    (void)p;
    return fmin(snr(at), w->gamma) * share * share;
}

/* Choi et al. 2022 (arXiv 2204.00227): (k + SNR)^-gamma on top of the prediction's own error. */
static double p2(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    (void)p;
    (void)share;
    return pow(w->offset + snr(at), -w->gamma);
}

/* Karras et al. 2022, table 1: (sigma^2 + sigma_data^2) / (sigma sigma_data)^2 times the error of x0. */
static double edm(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    (void)w;
    return (1 / (p->sigma_data * p->sigma_data) + snr(at)) * share * share;
}

/* Hoogeboom et al. 2024 (arXiv 2410.19324): sigmoid(b - ln SNR) times the error of the noise. */
static double sigmoid(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    return noise(w, p, at, share) / (1 + snr(at) * exp(-w->offset));
}

/* The time of a straight path: the share of the noise. */
static double share_of_noise(const struct mdm_process *p, struct mdm_level at)
{
    const double noise = at.noise / p->noise_scale;

    return noise / (at.signal + noise);
}

/* Esser et al. 2024 (arXiv 2403.03206): t^-2 on top of the prediction's own error. */
static double sigma_sqrt(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    const double t = fmax(share_of_noise(p, at), w->least_noise);

    (void)share;
    return 1 / (t * t);
}

/* The same: the density of t by which ln SNR is distributed as under the cosine schedule. */
static double cosmap(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    const double t = share_of_noise(p, at);

    (void)w;
    (void)share;
    return 2 / (PI * (1 - 2 * t + 2 * t * t));
}

static const struct mdm_weight_class classes[] = {
    {"none", none, MDM_WEIGHT_ANY},
    {"noise", noise, MDM_WEIGHT_ANY},
    {"x0", x0, MDM_WEIGHT_ANY},
    {"v", v, MDM_WEIGHT_ANY},
    {"min_snr", min_snr, MDM_WEIGHT_ANY},
    {"p2", p2, MDM_WEIGHT_ANY},
    {"edm", edm, MDM_WEIGHT_ANY},
    {"sigmoid", sigmoid, MDM_WEIGHT_ANY},
    {"likelihood", likelihood, MDM_WEIGHT_SLOPE},
    {"sigma_sqrt", sigma_sqrt, MDM_WEIGHT_STRAIGHT},
    {"cosmap", cosmap, MDM_WEIGHT_STRAIGHT},
};

const char *mdm_weight_name(int i)
{
    return (size_t)i < MDM_LENGTH(classes) ? classes[i].name : NULL;
}

const struct mdm_weight_class *mdm_weight_class_at(unsigned i)
{
    return &classes[i];
}

int mdm_weight_check(unsigned i, const struct mdm_process *p, const char *said)
{
    const struct {
        int has;
        const char *which;
    } of[] = {[MDM_WEIGHT_ANY] = {1, ""},
              [MDM_WEIGHT_SLOPE] = {p->kind->slope != NULL, "vp and flow, whose noise grows continuously"},
              [MDM_WEIGHT_STRAIGHT] = {mdm_process_is_straight(p), "flow, whose noise is a share"}};

    if (of[classes[i].of_process].has)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "%s %s has no meaning for process %s: it is for %s", said, classes[i].name,
                    p->kind->name, of[classes[i].of_process].which);
}

double mdm_weight_of(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    return w->kind->of(w, p, at, share);
}
