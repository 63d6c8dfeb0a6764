/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Small files beside an image that say its label: WebDataset's NAME.cls, and NAME.json with a member "cls" or
 * "label".
 */
#ifndef MASKDM_DATA_SIDECAR_H
#define MASKDM_DATA_SIDECAR_H

#include "data/found.h"

int mdm_sidecar_is(const char *name);
/* What the entry at hand (f->name) says. One in JSON may say nothing of a label; a .cls file that does not is
 * MASKDM_EFORMAT. */
int mdm_sidecar_take(struct mdm_found *f, const char *text, size_t n);

#endif
