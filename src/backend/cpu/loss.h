/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The runs of values under the loss: what an instruction set replaces, one function for each kind of loss.
 */
#ifndef MASKDM_BACKEND_CPU_LOSS_H
#define MASKDM_BACKEND_CPU_LOSS_H

#include "backend/cpu/cpu.h"

extern const mdm_loss_run mdm_loss_runs_c[MDM_LOSSES];

#endif
