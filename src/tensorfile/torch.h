/* SPDX-License-Identifier: BSD-2-Clause
 *
 * PyTorch checkpoints (torch.save since 1.6: a zip archive of a pickle and of storages) as tensor files: names are
 * the path through the dictionaries, joined by dots; single numbers and strings become metadata.
 */
#ifndef MASKDM_TENSORFILE_TORCH_H
#define MASKDM_TENSORFILE_TORCH_H

#include "tensorfile/tensorfile.h"

/* Open a tensor file of any format that is known, told by its bytes. */
int mdm_tensorfile_open(struct mdm_tensorfile *out, const char *path);
int mdm_tensorfile_open_memory(struct mdm_tensorfile *out, const void *bytes, size_t size);

#endif
