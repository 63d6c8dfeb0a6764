/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables of schedulers, and of samplers, whose options are a solver's and those of who draws images with it.
 */
#ifndef MASKDM_DIFFUSION_OPTIONS_H
#define MASKDM_DIFFUSION_OPTIONS_H

#include "option/option.h"

struct mdm_scheduler_options {
    unsigned process, prediction, weight; /* places in their lists; prediction 0: the process's own */
    double weight_gamma, weight_offset, weight_floor;
    unsigned time_draw, time_spread; /* places in their lists; time_draw 0: the process's own */
    double time_mean, time_std, mode_scale;
};

/* Whose the weaker prediction is: a guide's or, without one, the network's without labels; the network's with tokens
 * routed past its inner blocks, or seeing an image in parts, or without its deep blocks. */
enum mdm_guidance_by { MDM_GUIDANCE_AUTO, MDM_GUIDANCE_ROUTED, MDM_GUIDANCE_MASKED, MDM_GUIDANCE_PATH_DROP };

struct mdm_sampler_options {
    unsigned sampler, spacing; /* places in their lists; spacing 0: what suits both */
    struct mdm_float_list times;
    unsigned karras_ends, final_sigma, told_times;
    int64_t steps_offset;
    int clip, threshold;
    double clip_range, threshold_share, threshold_max;
    double guidance, guidance_low, guidance_high;
    int guidance_ends, guidance_labels;
    int64_t guidance_channels;
    enum mdm_guidance_by guidance_by;
    double guidance_route_ratio;
    int64_t guidance_parts;
    int64_t seed, batch_size;
};

extern const struct mdm_option_table mdm_scheduler_options, mdm_sampler_options;

extern const struct mdm_option_kind mdm_scheduler_kind, mdm_sampler_kind;

#endif
