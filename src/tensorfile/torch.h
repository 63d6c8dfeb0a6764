/* SPDX-License-Identifier: BSD-2-Clause
 *
 * PyTorch checkpoints (torch.save since 1.6: a zip archive of a pickle and of storages) as tensor files: names are
 * the path through the dictionaries, joined by dots; single numbers and strings become metadata.
 */
#ifndef MASKDM_TENSORFILE_TORCH_H
#define MASKDM_TENSORFILE_TORCH_H

#include "tensorfile/tensorfile.h"

/* Judge the archive that s is, whose bytes are at hand. */
int mdm_torch_read(struct mdm_tensorfile *s);

#endif
