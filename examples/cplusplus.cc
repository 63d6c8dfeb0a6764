/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From C++: handles in unique_ptrs, failures as exceptions, in callbacks too. Samples from a model file into a PNG;
 * to take more than MOST steps for it is an error.
 *
 *     cplusplus MODEL.safetensors OUT.png [MOST]
 */
#include <maskdm/maskdm.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace
{

template <typename T, void (*Release)(T **)> struct Releaser {
    void operator()(T *p) const { Release(&p); }
};

template <typename T, void (*Release)(T **)> using Handle = std::unique_ptr<T, Releaser<T, Release>>;

using Control = Handle<maskdm_control, maskdm_control_release>;
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

/* No exception may cross the library: it waits here until the call has returned. */
struct Watch {
    std::function<void(const maskdm_progress &)> see;
    std::exception_ptr thrown;

    static int report(void *user, const maskdm_progress *progress) noexcept
    {
        auto watch = static_cast<Watch *>(user);

        try {
            watch->see(*progress);
        } catch (...) {
            watch->thrown = std::current_exception();
        }
        return watch->thrown != nullptr; /* which cancels */
    }

    void check(int status) const
    {
        if (thrown)
            std::rethrow_exception(thrown);
        ::check(status);
    }
};

void run(const char *file, const char *out, long most)
{
    const maskdm_options *defaults = nullptr;
    auto control = make<Control>(maskdm_control_create);
    Watch watch{[most](const maskdm_progress &progress) {
                    if (progress.step > most)
                        throw std::length_error("more than " + std::to_string(most) + " steps");
                },
                nullptr};
    auto device = make<Device>(maskdm_device_open, "cpu", defaults);
    auto model = make<Model>(maskdm_model_load, device.get(), file);
    auto sampler = make<Sampler>(maskdm_sampler_create, model.get(), MASKDM_WEIGHTS_EMA, defaults, control.get());
    const int64_t height = maskdm_model_height(model.get()), width = maskdm_model_width(model.get());
    const int channels = static_cast<int>(maskdm_model_channels(model.get()));
    std::vector<float> pixels(static_cast<std::size_t>(height * width * channels));

    maskdm_control_set_progress(control.get(), Watch::report, &watch);
    watch.check(maskdm_sampler_run(sampler.get(), 1, nullptr, nullptr, MASKDM_SAMPLE_FLOAT, pixels.data(), 0, 0));
    auto image = make<Image>(maskdm_image_create, height, width, channels, MASKDM_SAMPLE_FLOAT,
                             static_cast<const void *>(pixels.data()), std::size_t{0});
    check(maskdm_image_write_png(image.get(), out, 16));
}

} /* namespace */

int main(int argc, char **argv)
{
    if (argc < 3) {
        std::fprintf(stderr, "usage: cplusplus MODEL.safetensors OUT.png [MOST]\n");
        return 2;
    }
    try {
        run(argv[1], argv[2], argc > 3 ? std::strtol(argv[3], nullptr, 10) : 10000);
    } catch (const std::exception &e) {
        std::fprintf(stderr, "cplusplus: %s\n", e.what());
        return 1;
    }
    return 0;
}
