/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From C++: handles in unique_ptrs, failures as exceptions. Samples from a model file into a PNG.
 *
 *     cplusplus MODEL.safetensors OUT.png
 */
#include <maskdm/maskdm.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <vector>

namespace
{

template <typename T, void (*Release)(T **)> struct Releaser {
    void operator()(T *p) const { Release(&p); }
};

template <typename T, void (*Release)(T **)> using Handle = std::unique_ptr<T, Releaser<T, Release>>;

using Device = Handle<maskdm_device, maskdm_device_release>;
using Model = Handle<maskdm_model, maskdm_model_release>;
using Sampler = Handle<maskdm_sampler, maskdm_sampler_release>;
using Image = Handle<maskdm_image, maskdm_image_release>;

void check(int status)
{
    if (status < 0)
        throw std::runtime_error(maskdm_last_error());
}

/* make<Device>(maskdm_device_open, "cpu", nullptr): whatever has its result as the first argument. */
template <typename H, typename Create, typename... Arguments> H make(Create create, Arguments... arguments)
{
    typename H::pointer p = nullptr;
    check(create(&p, arguments...));
    return H(p);
}

void run(const char *file, const char *out)
{
    const maskdm_options *defaults = nullptr;
    maskdm_control *none = nullptr;
    auto device = make<Device>(maskdm_device_open, "cpu", defaults);
    auto model = make<Model>(maskdm_model_load, device.get(), file);
    auto sampler = make<Sampler>(maskdm_sampler_create, model.get(), MASKDM_WEIGHTS_EMA, defaults, none);
    const int64_t height = maskdm_model_height(model.get()), width = maskdm_model_width(model.get());
    const int channels = static_cast<int>(maskdm_model_channels(model.get()));
    std::vector<float> pixels(static_cast<std::size_t>(height * width * channels));

    check(maskdm_sampler_run(sampler.get(), 1, nullptr, nullptr, MASKDM_SAMPLE_FLOAT, pixels.data(), 0, 0));
    auto image = make<Image>(maskdm_image_create, height, width, channels, MASKDM_SAMPLE_FLOAT,
                             static_cast<const void *>(pixels.data()), std::size_t{0});
    check(maskdm_image_write_png(image.get(), out, 16));
}

} /* namespace */

int main(int argc, char **argv)
{
    if (argc < 3) {
        std::fprintf(stderr, "usage: cplusplus MODEL.safetensors OUT.png\n");
        return 2;
    }
    try {
        run(argv[1], argv[2]);
    } catch (const std::exception &e) {
        std::fprintf(stderr, "cplusplus: %s\n", e.what());
        return 1;
    }
    return 0;
}
