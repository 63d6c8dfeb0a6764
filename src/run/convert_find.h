/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a checkpoint keeps the weights: programs nest state dictionaries in many ways, and wrap modules in others.
 */
#ifndef MASKDM_RUN_CONVERT_FIND_H
#define MASKDM_RUN_CONVERT_FIND_H

#include "io/safetensors.h"

enum { MASKDM_PLACES = 64, MASKDM_PLACE_PREFIX = 160 /* bytes */ };

/* A network's weights are the tensors PREFIX + NAME. */
struct maskdm_place {
    char prefix[MASKDM_PLACE_PREFIX + 1];
    int average;  /* the names say that it is an average of weights */
    int averager; /* it is kept by one: the online weights' copy, or the average itself */
};

struct maskdm_places {
    struct maskdm_place all[MASKDM_PLACES];
    int count;
    const struct maskdm_place *average, *online; /* those meant; NULL: none */
};

/* Leave out of every name what wrappers add ("module.", "_orig_mod."); *dropped: from how many names. */
int maskdm_convert_unwrap(struct maskdm_st *s, int64_t *dropped);
/* Find every place, and the two that are meant: by `average` and `online` (a prefix as `info` shows it, "none", or ""
 * for what the names say). MASKDM_EFORMAT where there is none, and where it is not clear which. */
int maskdm_convert_find(struct maskdm_places *p, const struct maskdm_st *s, const char *average, const char *online);
/* The first of those meant. */
const struct maskdm_place *maskdm_convert_main(const struct maskdm_places *p);
/* What the diffusion around a network is called: its prefix without a last "model.". */
void maskdm_convert_around(char out[MASKDM_PLACE_PREFIX + 1], const struct maskdm_place *place);

#endif
