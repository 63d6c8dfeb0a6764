/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tensor files: safetensors, read and written, and PyTorch checkpoints (torch.save since 1.6), read; by name. Every
 * file is treated as hostile: what it says of its tensors is checked whole before any is read, nothing larger than
 * the file justifies is allocated, and nothing that a checkpoint says is ever run. Opening reads no tensor data:
 * where a checkpoint states a checksum of a storage, the first reading of a tensor in it compares (MASKDM_EFORMAT).
 *
 *     maskdm_file *f;
 *     maskdm_file_open(&f, "model.safetensors");
 *     i = maskdm_file_find(f, "encoder.norm.weight");
 *     maskdm_file_read_f32(f, i, values, count);
 *     maskdm_file_release(&f);
 *
 * Thread safety: one handle, one thread at a time.
 */
#ifndef MASKDM_FILE_H
#define MASKDM_FILE_H

#include <maskdm/common.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct maskdm_file maskdm_file;

/** Open and check a tensor file, whose format its bytes tell. MASKDM_EIO, MASKDM_EFORMAT (with the tensor and both
 * numbers), MASKDM_ENOMEM. In a checkpoint names are the path through the dictionaries ("model.encoder.norm.weight"),
 * and numbers and strings ("step") are metadata. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_file_open(maskdm_file **out, const char *path);
/** The same for bytes in memory, which must stay there until the handle is released. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_file_open_memory(maskdm_file **out, const void *bytes, size_t size);
MASKDM_API void maskdm_file_release(maskdm_file **file);

/** Number of tensors, in the order of their bytes (safetensors) or of the dictionaries (checkpoints). */
MASKDM_API int64_t maskdm_file_count(const maskdm_file *file);
/** Index of a tensor by name, or MASKDM_ENOTFOUND (for which no error line is written). */
MASKDM_API int64_t maskdm_file_find(const maskdm_file *file, const char *name);
/** Name of tensor i, or NULL. Lives as long as the handle. */
MASKDM_API const char *maskdm_file_name(const maskdm_file *file, int64_t i);
/** "F32", "F64", "I64", "U8", ... as in the file, by the names of safetensors. */
MASKDM_API const char *maskdm_file_dtype(const maskdm_file *file, int64_t i);
/** Number of dimensions (at most 8); fills shape[0 .. min(rank, capacity)). MASKDM_EINVAL for a bad
 *  index. */
MASKDM_API int maskdm_file_shape(const maskdm_file *file, int64_t i, int64_t *shape, int capacity);
/** Elements and bytes of tensor i; MASKDM_EINVAL for a bad index. */
MASKDM_API int64_t maskdm_file_elements(const maskdm_file *file, int64_t i);
MASKDM_API int64_t maskdm_file_bytes(const maskdm_file *file, int64_t i);

/** Metadata: number of entries, key and value of entry i, value of a key (NULL if absent). */
MASKDM_API int64_t maskdm_file_metadata_count(const maskdm_file *file);
MASKDM_API const char *maskdm_file_metadata_key(const maskdm_file *file, int64_t i);
MASKDM_API const char *maskdm_file_metadata_value(const maskdm_file *file, int64_t i);
MASKDM_API const char *maskdm_file_metadata(const maskdm_file *file, const char *key);

/** Copy a tensor's elements, converted: `count` must be its number of elements. F64, F32, F16, BF16 and the
 *  integer types convert to float and double; only integer types to int64_t. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_file_read_f32(maskdm_file *file, int64_t i, float *out, int64_t count);
MASKDM_API MASKDM_MUST_CHECK int maskdm_file_read_f64(maskdm_file *file, int64_t i, double *out, int64_t count);
MASKDM_API MASKDM_MUST_CHECK int maskdm_file_read_i64(maskdm_file *file, int64_t i, int64_t *out, int64_t count);
/** The elements' bytes as they are in the file, in row-major order; `size` must be maskdm_file_bytes(). */
MASKDM_API MASKDM_MUST_CHECK int maskdm_file_read_raw(maskdm_file *file, int64_t i, void *out, size_t size);

/* ---- writing ---- */

typedef struct maskdm_file_writer maskdm_file_writer;

/** Collect tensors and metadata; nothing touches the disk before maskdm_file_writer_save(). */
MASKDM_API MASKDM_MUST_CHECK int maskdm_file_writer_create(maskdm_file_writer **out);
MASKDM_API void maskdm_file_writer_release(maskdm_file_writer **writer);
MASKDM_API MASKDM_MUST_CHECK int maskdm_file_writer_metadata(maskdm_file_writer *writer, const char *key,
                                                             const char *value);
/** Add a tensor; `elements` (NULL where a side of the shape is 0) is borrowed until the writer is saved or released,
 *  in the machine's byte order. dtype: "F32", "F64", "F16", "BF16", "I8" ... "I64", "U8" ... "U64", "BOOL". */
MASKDM_API MASKDM_MUST_CHECK int maskdm_file_writer_add(maskdm_file_writer *writer, const char *name,
                                                        const char *dtype, const int64_t *shape, int rank,
                                                        const void *elements);
/** Write everything to `path` so that a cut at any moment leaves the old file or the whole new one. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_file_writer_save(maskdm_file_writer *writer, const char *path);

/** The same bytes into the host's hands, in order; MASKDM_ECANCELED where it takes no more. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_file_writer_save_to(maskdm_file_writer *writer, maskdm_write_callback write,
                                                            void *user);

#ifdef __cplusplus
}
#endif

#endif
