/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What tells an LMDB environment from other files, without the library that reads it.
 */
#ifndef MASKDM_DATA_LMDB_FILE_H
#define MASKDM_DATA_LMDB_FILE_H

#include "data/source.h"

/* A folder with data.mdb in it, or such a file under any name. */
int mdm_lmdb_is(const struct mdm_source_look *look);
/* Open the file of the environment that `path` leads to; MASKDM_EFORMAT or MASKDM_EVERSION where it begins as none
 * that is read. */
int mdm_lmdb_open_file(struct mdm_reader **out, const char *path);

#endif
