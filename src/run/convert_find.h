/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a checkpoint keeps the weights: programs nest state dictionaries in many ways, and wrap modules in others.
 */
#ifndef MASKDM_RUN_CONVERT_FIND_H
#define MASKDM_RUN_CONVERT_FIND_H

#include "model/network.h"
#include "tensorfile/tensorfile.h"

enum { MDM_PLACES = 64, MDM_PLACE_PREFIX = 160 /* bytes */ };

/* A network's weights are the tensors PREFIX + NAME. */
struct mdm_place {
    char prefix[MDM_PLACE_PREFIX + 1];
    int average;  /* the names say that it is an average of weights */
    int averager; /* it is kept by one: the online weights' copy, or the average itself */
};

struct mdm_places {
    const struct mdm_network *network; /* whose they are */
    struct mdm_place all[MDM_PLACES];
    int count;
    const struct mdm_place *average, *online; /* those meant; NULL: none */
};

/* Leave out of every name what wrappers add ("module.", "_orig_mod."); *dropped: from how many names. */
int mdm_convert_unwrap(struct mdm_tensorfile *s, int64_t *dropped);
/* Find every place, and the two that are meant: by `average` and `online` (a prefix as `info` shows it, "none", or ""
 * for what the names say). MASKDM_EFORMAT where there is none, and where it is not clear which. */
int mdm_convert_find(struct mdm_places *p, const struct mdm_tensorfile *s, const char *average, const char *online);
/* The first of those meant. */
const struct mdm_place *mdm_convert_main(const struct mdm_places *p);
/* What the diffusion around a network is called: its prefix without a last "model." or "net.". */
void mdm_convert_around(char out[MDM_PLACE_PREFIX + 1], const struct mdm_place *place);

#endif
