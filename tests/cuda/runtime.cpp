/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The runtime's functions: memory, streams that do their work when it is waited for, events, graphs.
 */
#include "emulator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

typedef std::function<void()> work;

struct mdm_graph {
    std::vector<work> list;
};
struct mdm_graph_exec {
    std::vector<work> list;
};
struct mdm_event {
    mdm_stream *stream;
    uint64_t wanted, reached;
};
struct mdm_stream {
    std::deque<work> queue;
    unsigned flags;
    mdm_graph *capture;
    bool spoilt;
    cudaStreamCaptureMode mode;
    std::thread::id captor;
};
struct allocation {
    size_t bytes;
    bool pinned;
};

/* Transfers come from any thread. */
static std::recursive_mutex lock;
static std::map<uintptr_t, allocation> memory;
static std::set<mdm_stream *> streams;
static mdm_stream legacy = {{}, 0, nullptr, false, cudaStreamCaptureModeGlobal, {}};
static size_t used;
static std::map<const void *, size_t> most_shared;
static cudaError_t last_error;
static const pid_t maker = getpid();

/* In a forked process CUDA does nothing, and locks may be held by threads that are not there. */
#define ENTER()                                                                                                      \
    if (getpid() != maker)                                                                                           \
        return cudaErrorInitializationError;                                                                         \
    std::lock_guard<std::recursive_mutex> held(lock)

static cudaError_t fail(cudaError_t e)
{
    if (e != cudaSuccess)
        last_error = e;
    return e;
}

static mdm_stream *of(cudaStream_t s)
{
    if (!s)
        return &legacy;
    if (!streams.count(s))
        mdm_emulated_die("%p is no stream", (void *)s);
    return s;
}

static bool step(mdm_stream *s)
{
    work next;

    if (s->queue.empty())
        return false;
    next = std::move(s->queue.front());
    s->queue.pop_front();
    next();
    return true;
}

static void finish(mdm_stream *s)
{
    while (step(s))
        ;
}

static void finish_all(void)
{
    finish(&legacy);
    for (mdm_stream *s : streams)
        finish(s);
}

/* Before what may not happen while something is captured, by CUDA's rules of modes. */
static cudaError_t spoil(mdm_stream *only)
{
    cudaError_t e = cudaSuccess;

    for (mdm_stream *s : streams) {
        if (!s->capture || (only && s != only))
            continue;
        if (only || s->mode == cudaStreamCaptureModeGlobal ||
            (s->mode == cudaStreamCaptureModeThreadLocal && s->captor == std::this_thread::get_id())) {
            s->spoilt = true;
            e = cudaErrorStreamCaptureUnsupported;
        }
    }
    return fail(e);
}

#define ALLOWED(stream)                                                                                              \
    do {                                                                                                             \
        const cudaError_t allowed_ = spoil(stream);                                                                  \
        if (allowed_ != cudaSuccess)                                                                                 \
            return allowed_;                                                                                         \
    } while (0)

static cudaError_t put(cudaStream_t stream, work w)
{
    mdm_stream *s = of(stream);

    if (s->capture)
        s->capture->list.push_back(std::move(w));
    else
        s->queue.push_back(std::move(w));
    return cudaSuccess;
}

/* ---- errors ---- */

cudaError_t cudaGetLastError(void)
{
    ENTER();
    const cudaError_t e = last_error;

    last_error = cudaSuccess;
    return e;
}

cudaError_t cudaPeekAtLastError(void)
{
    ENTER();
    return last_error;
}

static const struct {
    cudaError_t code;
    const char *name, *text;
} errors[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInitializationError, "cudaErrorInitializationError", "initialization error"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration", "invalid configuration argument"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorNotSupported, "cudaErrorNotSupported", "operation not supported"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
};

const char *cudaGetErrorName(cudaError_t e)
{
    for (const auto &row : errors)
        if (row.code == e)
            return row.name;
    return "cudaErrorUnknown";
}

const char *cudaGetErrorString(cudaError_t e)
{
    for (const auto &row : errors)
        if (row.code == e)
            return row.text;
    return "unknown error";
}

/* ---- the device ---- */

static size_t total_memory(void)
{
    const char *s = getenv("MASKDM_EMULATED_MEMORY");

    return s ? (size_t)atoll(s) : (size_t)4 << 30;
}

cudaError_t cudaDriverGetVersion(int *out)
{
    *out = 13000;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *out)
{
    *out = 13000;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *out)
{
    *out = 1;
    return cudaSuccess;
}

cudaError_t cudaGetDevice(int *out)
{
    *out = 0;
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int unit)
{
    ENTER();
    return fail(unit == 0 ? cudaSuccess : cudaErrorInvalidDevice);
}

cudaError_t cudaInitDevice(int unit, unsigned, unsigned)
{
    return cudaSetDevice(unit);
}

cudaError_t cudaSetDeviceFlags(unsigned)
{
    return cudaSuccess;
}

cudaError_t cudaDeviceReset(void)
{
    return cudaDeviceSynchronize();
}

cudaError_t cudaDeviceSynchronize(void)
{
    ENTER();
    ALLOWED(nullptr);
    finish_all();
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *out, int unit)
{
    cudaDeviceProp p = {};

    if (unit != 0)
        return fail(cudaErrorInvalidDevice);
    snprintf(p.name, sizeof p.name, "emulated device");
    p.totalGlobalMem = total_memory();
    p.sharedMemPerBlock = 48 * 1024;
    p.sharedMemPerBlockOptin = MDM_EMULATED_SHARED;
    p.sharedMemPerMultiprocessor = MDM_EMULATED_SHARED + 1024;
    p.warpSize = warpSize;
    p.maxThreadsPerBlock = MDM_EMULATED_MOST_THREADS;
    p.maxThreadsPerMultiProcessor = 2048;
    p.multiProcessorCount = MDM_EMULATED_PROCESSORS;
    p.major = 9;
    p.l2CacheSize = 1 << 20;
    p.regsPerBlock = p.regsPerMultiprocessor = 65536;
    *out = p;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *out, cudaDeviceAttr what, int unit)
{
    cudaDeviceProp p;

    if (cudaGetDeviceProperties(&p, unit) != cudaSuccess)
        return cudaErrorInvalidDevice;
    switch (what) {
    case cudaDevAttrMaxThreadsPerBlock:
        *out = p.maxThreadsPerBlock;
        break;
    case cudaDevAttrMaxSharedMemoryPerBlock:
        *out = (int)p.sharedMemPerBlock;
        break;
    case cudaDevAttrWarpSize:
        *out = p.warpSize;
        break;
    case cudaDevAttrMultiProcessorCount:
        *out = p.multiProcessorCount;
        break;
    case cudaDevAttrL2CacheSize:
        *out = p.l2CacheSize;
        break;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
        *out = p.maxThreadsPerMultiProcessor;
        break;
    case cudaDevAttrComputeCapabilityMajor:
        *out = p.major;
        break;
    case cudaDevAttrComputeCapabilityMinor:
        *out = p.minor;
        break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
        *out = (int)p.sharedMemPerMultiprocessor;
        break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
        *out = (int)p.sharedMemPerBlockOptin;
        break;
    default:
        return fail(cudaErrorInvalidValue);
    }
    return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char *out, int length, int)
{
    snprintf(out, (size_t)length, "0000:00:00.0");
    return cudaSuccess;
}

/* ---- memory ---- */

cudaError_t mdm_emulated_malloc(void **out, size_t bytes, int pinned)
{
    ENTER();

    *out = nullptr;
    ALLOWED(nullptr);
    if (bytes == 0)
        return cudaSuccess;
    if (!pinned && bytes > total_memory() - used)
        return fail(cudaErrorMemoryAllocation);
    if (posix_memalign(out, 256, bytes)) {
        *out = nullptr;
        return fail(cudaErrorMemoryAllocation);
    }
    memset(*out, 0xff, bytes);
    memory[(uintptr_t)*out] = {bytes, pinned != 0};
    used += pinned ? 0 : bytes;
    return cudaSuccess;
}

static cudaError_t give_back(void *p, bool pinned)
{
    ENTER();

    ALLOWED(nullptr);
    if (!p)
        return cudaSuccess;
    finish_all();
    auto at = memory.find((uintptr_t)p);
    if (at == memory.end() || at->second.pinned != pinned)
        mdm_emulated_die("%p is given back, which is no %s memory", p, pinned ? "pinned" : "device");
    used -= pinned ? 0 : at->second.bytes;
    memory.erase(at);
    free(p);
    return cudaSuccess;
}

cudaError_t cudaFree(void *p)
{
    return give_back(p, false);
}

cudaError_t cudaFreeHost(void *p)
{
    return give_back(p, true);
}

cudaError_t cudaFreeAsync(void *p, cudaStream_t)
{
    return give_back(p, false);
}

cudaError_t cudaMemGetInfo(size_t *free, size_t *total)
{
    ENTER();

    *total = total_memory();
    *free = *total - used;
    return cudaSuccess;
}

/* Whether p is such memory, with all bytes in one allocation. */
static bool lies_in(const void *p, size_t bytes, bool pinned)
{
    auto at = memory.upper_bound((uintptr_t)p);

    if (at == memory.begin())
        return false;
    --at;
    return at->second.pinned == pinned && (uintptr_t)p - at->first <= at->second.bytes &&
           bytes <= at->second.bytes - ((uintptr_t)p - at->first);
}

static void expect_device(const char *what, const void *p, size_t bytes)
{
    if (!lies_in(p, bytes, false))
        mdm_emulated_die("%s: %zu bytes at %p are no device memory", what, bytes, p);
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t s)
{
    ENTER();

    if (bytes == 0)
        return cudaSuccess;
    if (kind == cudaMemcpyDefault)
        kind = lies_in(to, bytes, false)
                   ? lies_in(from, bytes, false) ? cudaMemcpyDeviceToDevice : cudaMemcpyHostToDevice
                   : cudaMemcpyDeviceToHost;
    if (kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice)
        expect_device("a copy to the device", to, bytes);
    if (kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice)
        expect_device("a copy from the device", from, bytes);
    if (kind == cudaMemcpyHostToDevice && !lies_in(from, bytes, true)) {
        auto taken = std::make_shared<std::vector<char>>((const char *)from, (const char *)from + bytes);

        ALLOWED(of(s)->capture ? of(s) : nullptr);
        return put(s, [=] { memcpy(to, taken->data(), bytes); });
    }
    put(s, [=] { memmove(to, from, bytes); });
    if (kind == cudaMemcpyDeviceToHost && !lies_in(to, bytes, true)) {
        ALLOWED(of(s)->capture ? of(s) : nullptr);
        finish(of(s));
    }
    return cudaSuccess;
}

/* The stream without a name waits for those that were not made otherwise. */
static void finish_blocking(void)
{
    finish(&legacy);
    for (mdm_stream *s : streams)
        if (!(s->flags & cudaStreamNonBlocking))
            finish(s);
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    ENTER();

    ALLOWED(nullptr);
    finish_blocking();
    const cudaError_t e = cudaMemcpyAsync(to, from, bytes, kind, nullptr);
    finish(&legacy);
    return e;
}

cudaError_t cudaMemsetAsync(void *p, int byte, size_t bytes, cudaStream_t s)
{
    ENTER();

    if (bytes == 0)
        return cudaSuccess;
    expect_device("a fill", p, bytes);
    return put(s, [=] { memset(p, byte, bytes); });
}

cudaError_t cudaMemset(void *p, int byte, size_t bytes)
{
    ENTER();

    ALLOWED(nullptr);
    finish_blocking();
    return cudaMemsetAsync(p, byte, bytes, nullptr);
}

/* ---- streams and events ---- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned flags)
{
    ENTER();

    *out = new mdm_stream();
    (*out)->flags = flags;
    streams.insert(*out);
    return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t *out)
{
    return cudaStreamCreateWithFlags(out, 0);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t *out, unsigned flags, int)
{
    return cudaStreamCreateWithFlags(out, flags);
}

cudaError_t cudaStreamDestroy(cudaStream_t s)
{
    ENTER();

    finish(of(s));
    streams.erase(s);
    delete s;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t s)
{
    ENTER();

    ALLOWED(of(s)->capture ? of(s) : nullptr);
    finish(of(s));
    return cudaSuccess;
}

/* Asking is a step forward, so that a loop that asks ends. */
cudaError_t cudaStreamQuery(cudaStream_t s)
{
    ENTER();

    return step(of(s)) ? cudaErrorNotReady : cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, unsigned)
{
    ENTER();

    *out = new mdm_event();
    return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t *out)
{
    return cudaEventCreateWithFlags(out, 0);
}

static void finish_event(mdm_event *e, uint64_t wanted)
{
    while (e->reached < wanted && step(e->stream))
        ;
}

cudaError_t cudaEventDestroy(cudaEvent_t e)
{
    ENTER();

    finish_event(e, e->wanted);
    delete e;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s)
{
    ENTER();

    ALLOWED(of(s)->capture ? of(s) : nullptr);
    e->stream = of(s);
    const uint64_t wanted = ++e->wanted;
    return put(s, [=] { e->reached = wanted; });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned)
{
    ENTER();

    ALLOWED(of(s)->capture ? of(s) : nullptr);
    const uint64_t wanted = e->wanted;
    return put(s, [=] { finish_event(e, wanted); });
}

cudaError_t cudaEventSynchronize(cudaEvent_t e)
{
    ENTER();

    finish_event(e, e->wanted);
    return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t e)
{
    ENTER();

    return e->reached < e->wanted && step(e->stream) && e->reached < e->wanted ? cudaErrorNotReady : cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float *out, cudaEvent_t, cudaEvent_t)
{
    *out = 1;
    return cudaSuccess;
}

/* ---- graphs ---- */

cudaError_t cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode mode)
{
    ENTER();

    if (!s || of(s)->capture)
        return fail(cudaErrorStreamCaptureUnsupported);
    s->capture = new mdm_graph();
    s->spoilt = false;
    s->mode = mode;
    s->captor = std::this_thread::get_id();
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *out)
{
    ENTER();

    *out = nullptr;
    if (!of(s)->capture)
        return fail(cudaErrorStreamCaptureUnmatched);
    if (s->spoilt) {
        delete s->capture;
        s->capture = nullptr;
        return fail(cudaErrorStreamCaptureInvalidated);
    }
    *out = s->capture;
    s->capture = nullptr;
    return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t s, cudaStreamCaptureStatus *out)
{
    ENTER();

    *out = !of(s)->capture ? cudaStreamCaptureStatusNone
           : s->spoilt     ? cudaStreamCaptureStatusInvalidated
                           : cudaStreamCaptureStatusActive;
    return cudaSuccess;
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode *)
{
    return cudaErrorNotSupported;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *out, cudaGraph_t g, unsigned long long)
{
    ENTER();

    *out = new mdm_graph_exec{g->list};
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *out, cudaGraph_t g, unsigned long long flags)
{
    return cudaGraphInstantiate(out, g, flags);
}

cudaError_t cudaGraphGetNodes(cudaGraph_t g, cudaGraphNode_t *nodes, size_t *count)
{
    ENTER();

    if (nodes)
        return fail(cudaErrorNotSupported);
    *count = g->list.size();
    return cudaSuccess;
}

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t)
{
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t e, cudaStream_t s)
{
    ENTER();

    for (const work &w : e->list)
        put(s, w);
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t e)
{
    ENTER();

    delete e;
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t g)
{
    ENTER();

    delete g;
    return cudaSuccess;
}

/* ---- launches ---- */

cudaError_t cudaFuncSetAttribute(const void *kernel, cudaFuncAttribute what, int value)
{
    ENTER();

    if (what != cudaFuncAttributeMaxDynamicSharedMemorySize)
        return cudaSuccess;
    if (value < 0 || value > MDM_EMULATED_SHARED)
        return fail(cudaErrorInvalidValue);
    most_shared[kernel] = (size_t)value;
    return cudaSuccess;
}

cudaError_t mdm_emulated_launch(const cudaLaunchConfig_t *c, const void *kernel, std::function<void()> thread)
{
    ENTER();
    const dim3 g = c->gridDim, b = c->blockDim;
    const size_t shared = c->dynamicSmemBytes;
    const auto most = most_shared.find(kernel);

    if (g.x < 1 || g.x > 0x7fffffffu || g.y < 1 || g.y > 65535 || g.z < 1 || g.z > 65535 || b.x < 1 || b.y < 1 ||
        b.z < 1 || b.x > 1024 || b.y > 1024 || b.z > 64 || b.x * b.y * b.z > MDM_EMULATED_MOST_THREADS)
        return fail(cudaErrorInvalidConfiguration);
    if (shared > (most == most_shared.end() || most->second < 48 * 1024 ? (size_t)48 * 1024 : most->second))
        return fail(cudaErrorInvalidValue);
    return put(c->stream, [=] { mdm_emulated_run(g, b, shared, kernel, thread); });
}

cudaError_t mdm_emulated_put(cudaStream_t s, std::function<void()> w)
{
    ENTER();

    return put(s, std::move(w));
}
