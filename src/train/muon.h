/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Muon (muon.c), as the optimizer keeps it.
 */
#ifndef MASKDM_TRAIN_MUON_H
#define MASKDM_TRAIN_MUON_H

struct mdm_muon_settings {
    double ratio; /* of its rate to lr */
    double weight_decay, momentum;
    int nesterov, scale, steps; /* scale: of muon.c's table */
};

const char *mdm_muon_scale_name(int i); /* NULL: none */

#endif
