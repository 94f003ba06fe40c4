// A C++ user: handles in unique_ptr, a lambda without captures as the callback.
#include <loss/loss.h>

#include <cmath>
#include <cstdio>
#include <memory>

template <auto release> struct freed_by {
    template <typename handle> void operator()(handle *pointer) const
    {
        release(pointer);
    }
};

int main()
{
    loss_context *context = nullptr;
    loss_objective *bowl = nullptr;
    loss_optimizer *lbfgs = nullptr;
    double x = 3.5;
    loss_context_create(&context);
    std::unique_ptr<loss_context, freed_by<loss_context_free>> own_context(context);
    auto f = [](void *, int64_t, const void *at, double *value, void *gradient) -> int32_t {
        const double d = *static_cast<const double *>(at) - 2.385;
        *value = d * d;
        if (gradient != nullptr)
            *static_cast<double *>(gradient) = 2.0 * d;
        return 0;
    };
    loss_objective_create_callback(&bowl, context, LOSS_FLOAT64, 1, f, nullptr, nullptr);
    std::unique_ptr<loss_objective, freed_by<loss_objective_free>> own_bowl(bowl);
    loss_optimizer_create(&lbfgs, context, "lbfgs", LOSS_FLOAT64, 1);
    std::unique_ptr<loss_optimizer, freed_by<loss_optimizer_free>> own_lbfgs(lbfgs);
    std::printf("%d: x = %.17g\n", loss_optimizer_minimize(lbfgs, bowl, &x), x);
    return std::fabs(x - 2.385) < 1e-6 ? 0 : 1;
}
