/* SPDX-License-Identifier: BSD-2-Clause
 *
 * safetensors: 8 bytes little-endian header length, JSON header, tensor bytes. Stricter than the reference
 * where a C string API sits behind it: no duplicate names, no NUL in names, rank at most 8, the tensors tile
 * the data exactly. doc/formats.md has the rules and the limits.
 */
#ifndef MASKDM_TENSORFILE_SAFETENSORS_H
#define MASKDM_TENSORFILE_SAFETENSORS_H

#include "tensorfile/tensorfile.h"

/* Judge the header of s, whose bytes are at hand. */
int mdm_safetensors_read(struct mdm_tensorfile *s);
/* Open a file that must be of this format. */
int mdm_safetensors_open(struct mdm_tensorfile *out, const char *path);
int mdm_safetensors_open_memory(struct mdm_tensorfile *out, const void *bytes, size_t size);

/* ---- writing: pieces are borrowed until saved ---- */
struct mdm_safetensors_writer;
int mdm_safetensors_writer_create(struct mdm_safetensors_writer **out);
void mdm_safetensors_writer_release(struct mdm_safetensors_writer **w);
int mdm_safetensors_writer_meta(struct mdm_safetensors_writer *w, const char *key, const char *value);
int mdm_safetensors_writer_add(struct mdm_safetensors_writer *w, const char *name, const char *dtype,
                               const int64_t *shape, int rank, const void *data);
/* The same, read when saved, piece by piece. The source too is borrowed. */
int mdm_safetensors_writer_add_from(struct mdm_safetensors_writer *w, const char *name, const char *dtype,
                                    const int64_t *shape, int rank, const void *data,
                                    const struct mdm_tensorfile_source *source);
/* What was added so far; metadata among it. */
const struct mdm_tensorfile *mdm_safetensors_writer_table(const struct mdm_safetensors_writer *w);
/* With `digest` non-zero the metadata gains "maskdm.digest", a checksum of every byte of the file, the header's too
 * (doc/formats.md); mdm_safetensors_verify() recomputes it. */
int mdm_safetensors_writer_save(struct mdm_safetensors_writer *w, const char *path, int digest);
/* The same bytes, without a digest, into the host's hands, in order; MASKDM_ECANCELED where it takes no more. */
int mdm_safetensors_writer_save_to(struct mdm_safetensors_writer *w, maskdm_write_callback write, void *user);
/* MASKDM_EFORMAT when the digest is absent or does not match, MASKDM_EVERSION where it covers less than the file. */
int mdm_safetensors_verify(struct mdm_tensorfile *s);

#endif
