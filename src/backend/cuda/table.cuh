/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What every file of kernels adds to the table, and the jobs (backend/backend.h has their contracts).
 */
#ifndef MASKDM_BACKEND_CUDA_TABLE_CUH
#define MASKDM_BACKEND_CUDA_TABLE_CUH

#include "backend/cuda/cuda.cuh"

/* Each fills rows of d->kernel[0] (float) and [1] (bf16), and may allow its kernels shared memory. */
int mdm_cuda_add_activation(struct mdm_cuda *d);
int mdm_cuda_add_add(struct mdm_cuda *d);
int mdm_cuda_add_attention(struct mdm_cuda *d);
int mdm_cuda_add_cast(struct mdm_cuda *d);
int mdm_cuda_add_concat(struct mdm_cuda *d);
int mdm_cuda_add_context(struct mdm_cuda *d);
int mdm_cuda_add_conv(struct mdm_cuda *d);
int mdm_cuda_add_cut(struct mdm_cuda *d); /* hide, cut, paste */
int mdm_cuda_add_embed(struct mdm_cuda *d);
int mdm_cuda_add_fill(struct mdm_cuda *d);
int mdm_cuda_add_group_norm(struct mdm_cuda *d);
int mdm_cuda_add_linear(struct mdm_cuda *d); /* and linear_silu, linear2 */
int mdm_cuda_add_lowrank(struct mdm_cuda *d);
int mdm_cuda_add_mlp(struct mdm_cuda *d);
int mdm_cuda_add_modulate(struct mdm_cuda *d); /* and gate_add */
int mdm_cuda_add_norm(struct mdm_cuda *d);
int mdm_cuda_add_patchify(struct mdm_cuda *d);
int mdm_cuda_add_pool(struct mdm_cuda *d);
int mdm_cuda_add_resample(struct mdm_cuda *d);
int mdm_cuda_add_rms_modulate(struct mdm_cuda *d);
int mdm_cuda_add_rotate(struct mdm_cuda *d); /* angles, qk_rotate */
int mdm_cuda_add_route(struct mdm_cuda *d);  /* route, unroute, trim */
int mdm_cuda_add_swiglu(struct mdm_cuda *d);
int mdm_cuda_add_timestep(struct mdm_cuda *d);
int mdm_cuda_add_tokens(struct mdm_cuda *d);
int mdm_cuda_add_transpose(struct mdm_cuda *d);

int mdm_cuda_fill_table(struct mdm_cuda *d); /* table.cu: all of these */

/* memory.cu, transfer.cu */
int mdm_cuda_memory_open(struct mdm_cuda *d);
void mdm_cuda_memory_close(struct mdm_cuda *d);
int mdm_cuda_alloc(struct mdm_backend *b, void **out, size_t bytes, const char *what);
void mdm_cuda_release(struct mdm_backend *b, void *memory);
int mdm_cuda_upload(struct mdm_backend *b, void *device, const void *host, size_t bytes);
int mdm_cuda_download(struct mdm_backend *b, void *host, const void *device, size_t bytes);
int mdm_cuda_copy(struct mdm_backend *b, void *to, const void *from, size_t bytes);
int mdm_cuda_fill(struct mdm_backend *b, void *device, int byte, size_t bytes);
int mdm_cuda_wait(struct mdm_backend *b);

/* record.cu */
int mdm_cuda_record(struct mdm_backend *b);
int mdm_cuda_recorded(struct mdm_backend *b, void **out);
int mdm_cuda_play(struct mdm_backend *b, void *recording);
void mdm_cuda_forget(struct mdm_backend *b, void *recording);

/* noise.cu, solve.cu, quantile.cu, loss.cu, optimizer.cu, muon.cu, patchify.cu, cast.cu */
int mdm_cuda_normal(struct mdm_backend *b, float *out, int64_t batch, int64_t n, const struct mdm_rng *stream);
int mdm_cuda_noising(struct mdm_backend *b, const struct mdm_noising *j);
int mdm_cuda_mix(struct mdm_backend *b, const struct mdm_mix *j);
int mdm_cuda_solve(struct mdm_backend *b, const struct mdm_solve *j);
int mdm_cuda_quantile(struct mdm_backend *b, const struct mdm_quantile *j);
int mdm_cuda_loss(struct mdm_backend *b, const struct mdm_loss *j);
int mdm_cuda_collect(struct mdm_backend *b, double *loss, int64_t batch);
int mdm_cuda_sum_squares(struct mdm_backend *b, double *out, const float *x, size_t n);
int mdm_cuda_adamw(struct mdm_backend *b, const struct mdm_optimizer *j);
int mdm_cuda_ema(struct mdm_backend *b, float *ema, const float *w, size_t n, int mode, double decay);
int mdm_cuda_muon(struct mdm_backend *b, const struct mdm_muon *j);
size_t mdm_cuda_muon_scratch(const struct mdm_backend *b, const struct mdm_muon *j);
int mdm_cuda_unpatchify(struct mdm_backend *b, const struct mdm_unpatchify *j);
int mdm_cuda_narrow(struct mdm_backend *b, void *to, const float *from, size_t n);

#endif
