/* SPDX-License-Identifier: BSD-2-Clause
 *
 * NumPy's files as tensor files: an array (.npy), whose tensor is called arr_0 as NumPy itself calls one without a
 * name, and archives of them (.npz), stored or deflated, by the names of their entries.
 */
#ifndef MASKDM_TENSORFILE_NPZ_H
#define MASKDM_TENSORFILE_NPZ_H

#include "tensorfile/tensorfile_private.h"

/* A zip archive: NumPy's where its first entry is an array, else PyTorch's. */
int mdm_archive_read(struct mdm_tensorfile *s);
/* One array. */
int mdm_npy_read(struct mdm_tensorfile *s);

/* ---- npy.c ---- */
/* The most bytes before an array's own that are read. */
enum { MDM_NPY_HEAD = 4096 };
/* What the first n bytes of `size` say of an array: fills dtype, shape, strides and elements, with begin counted from
 * byte `at`. */
int mdm_npy_head(struct mdm_tensorfile_tensor *t, const unsigned char *head, size_t n, uint64_t size, uint64_t at);

#endif
