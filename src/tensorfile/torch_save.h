/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Writing PyTorch checkpoints: a pickle that the caller builds, and the tensors that stand in it. Data are borrowed
 * until all is saved. The same calls give the same bytes.
 */
#ifndef MASKDM_TENSORFILE_TORCH_SAVE_H
#define MASKDM_TENSORFILE_TORCH_SAVE_H

#include "tensorfile/pickle_write.h"
#include "tensorfile/tensorfile.h"

struct mdm_torch_storage {
    const void *data;
    const struct mdm_tensorfile_source *source;
    uint64_t size; /* bytes */
    int element;   /* bytes of one */
    uint32_t crc;
};

struct mdm_torch_writer {
    struct mdm_text pickle; /* begun; whatever is no tensor is added to it (pickle_write.h) */
    struct mdm_torch_storage *storage;
    int64_t count;
};

int mdm_torch_writer_create(struct mdm_torch_writer **out);
void mdm_torch_writer_release(struct mdm_torch_writer **w);
/* A tensor, in a dictionary behind its key: its elements from `data` on, by way of `source` (NULL: the host's
 * memory). *storage (may be NULL) is where they lie. dtype: by the names of safetensors. */
int mdm_torch_writer_add(struct mdm_torch_writer *w, const char *key, const char *dtype, const int64_t *shape,
                         int rank, const void *data, const struct mdm_tensorfile_source *source, int64_t *storage);
/* The same tensor under another key: no byte of it is written twice. */
int mdm_torch_writer_again(struct mdm_torch_writer *w, const char *key, const char *dtype, const int64_t *shape,
                           int rank, int64_t storage);
/* End the pickle, and write the archive into a writer, which is committed or abandoned in every case. */
int mdm_torch_writer_save(struct mdm_torch_writer *w, struct mdm_writer **file);

#endif
