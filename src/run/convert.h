/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The whole conversion job: a checkpoint of the authors' program in, a model file out.
 */
#ifndef MASKDM_RUN_CONVERT_H
#define MASKDM_RUN_CONVERT_H

#include <maskdm/control.h>
#include <maskdm/options.h>

/* options: kind "convert". */
int mdm_convert_run(const maskdm_options *options, maskdm_control *control);

/* ---- convert_out.c ---- */
struct mdm_writer;
/* Judge the output, and hold it where it is a stream, until the model is written. */
int mdm_convert_reserve(struct mdm_writer **writer, const char *from, const char *out);
/* Whether a name promises a checkpoint of PyTorch's to other programs. */
int mdm_convert_promises_torch(const char *path);
/* MASKDM_EINVAL where both are one file. */
int mdm_convert_check_apart(const char *what, const char *from, const char *out);

#endif
