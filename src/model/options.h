/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables of the networks.
 */
#ifndef MASKDM_MODEL_OPTIONS_H
#define MASKDM_MODEL_OPTIONS_H

#include "option/option.h"

struct mdm_uvit_options {
    struct mdm_int_list image_size;
    int64_t patch_size, channels, dim, depth, heads;
    double mlp_ratio;
    int qkv_bias, time_mlp;
    int64_t classes;
    double route_ratio;
    int64_t route_from;
};

struct mdm_dit_options {
    struct mdm_int_list image_size;
    int64_t patch_size, channels, dim, depth, heads;
    double mlp_ratio;
    int64_t classes;
    int learn_sigma;
};

extern const struct mdm_option_table mdm_uvit_options, mdm_dit_options;

extern const struct mdm_option_kind mdm_uvit_kind, mdm_dit_kind;

struct mdm_network_options {
    int network; /* mdm_network_at() */
};

/* For composites: picks among the tables of all networks. */
extern const struct mdm_option_table mdm_network_options;

extern const struct mdm_option_kind mdm_network_kind;

#endif
