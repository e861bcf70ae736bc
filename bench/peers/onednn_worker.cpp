// oneDNN's own RNN primitive among the peers: LSTM, plain or with peepholes, forward or trained. Weights lie
// as the primitive likes them best for each direction; parameters are kept row after row and reordered into
// both after an update, as the library means it to be used.
#include <fmt/format.h>

#include <algorithm>
#include <dnnl.hpp>
#include <map>
#include <stdexcept>

#include "bench/peers/worker.h"

namespace rnnc::peers {
namespace {

using dnnl::lstm_backward;
using dnnl::lstm_forward;
using dnnl::memory;
using Tag = memory::format_tag;
using Args = std::unordered_map<int, memory>;

memory::desc floats(const memory::dims& dims, Tag tag) {
  return {dims, memory::data_type::f32, tag};
}

std::span<float> values(const memory& m) {
  return {static_cast<float*>(m.get_data_handle()), m.get_desc().get_size() / sizeof(float)};
}

/// One parameter of the primitive: gates side by side, and beside it the same in other layouts.
struct Weights {
  std::string kind, gates;  // `W`, `ifgo`: Wi, Wf, Wg and Wo
  int64_t rows = 1;
  memory plain, forward, backward, gradient, plain_gradient;
};

class OneDnn : public Peer {
 public:
  explicit OneDnn(const Job& job) : job_(job), peephole_(job.cell == "peephole") {
    const int64_t T = job.steps, B = job.batch, I = job.inputs, H = job.hidden;
    x_ = make(floats({T, B, I}, Tag::tnc));
    std::ranges::copy(job.x, values(x_).begin());
    add("W", "ifgo", I, floats({1, 1, I, 4, H}, Tag::ldigo));
    add("U", "ifgo", H, floats({1, 1, H, 4, H}, Tag::ldigo));
    add("b", "ifgo", 1, floats({1, 1, 4, H}, Tag::ldgo));
    if (peephole_) add("p", "ifo", 1, floats({1, 1, 3, H}, Tag::ldgo));

    const auto any = [&](size_t i) { return floats(weights_[i].plain.get_desc().dims(), Tag::any); };
    const memory::desc none, src = x_.get_desc(), dst = floats({T, B, H}, Tag::tnc);
    const memory::desc first = floats({1, 1, B, H}, Tag::ldnc);  // zeros
    const memory::desc peephole = peephole_ ? weights_[3].plain.get_desc() : none;
    const memory::desc bias = weights_[2].plain.get_desc();
    const auto kind = job.train ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
    const auto along = dnnl::rnn_direction::unidirectional_left2right;
    const lstm_forward::primitive_desc forward(
        {kind, along, src, first, first, any(0), any(1), peephole, bias, dst, first, first}, engine_);
    forward_ = lstm_forward(forward);
    h_ = make(dst);
    h0_ = make(first);
    c0_ = make(first);
    hT_ = make(first);
    cT_ = make(first);
    forward_args_ = {{DNNL_ARG_SRC_LAYER, x_}, {DNNL_ARG_SRC_ITER, h0_}, {DNNL_ARG_SRC_ITER_C, c0_},
                     {DNNL_ARG_DST_LAYER, h_}, {DNNL_ARG_DST_ITER, hT_}, {DNNL_ARG_DST_ITER_C, cT_}};
    const memory::desc forms[] = {forward.weights_layer_desc(), forward.weights_iter_desc(), bias, peephole};
    for (size_t i = 0; i < weights_.size(); ++i) {
      weights_[i].forward = like(forms[i], weights_[i].plain);
      forward_args_[kArgs[i]] = weights_[i].forward;
    }
    if (job.train) {
      forward_args_[DNNL_ARG_WORKSPACE] = make(forward.workspace_desc());
      prepare_backward(forward, any(0), any(1), bias, peephole);
    }
    reorder_weights();
  }

  float step(float rate) override {
    forward_.execute(stream_, forward_args_);
    if (!job_.train) {
      stream_.wait();
      return 0;
    }
    for (Weights& w : weights_) std::ranges::fill(values(w.gradient), 0.0f);  // it adds to them
    const auto h = values(h_);
    const auto d = values(dh_);
    const float scale = 2 / float(h.size());
    double loss = 0;
    for (size_t i = 0; i < h.size(); ++i) {
      const float e = h[i] - job_.y[i];
      d[i] = scale * e;
      loss += e * e;
    }
    backward_.execute(stream_, backward_args_);
    for (Weights& w : weights_) {
      if (w.gradient != w.plain_gradient)
        dnnl::reorder(w.gradient, w.plain_gradient).execute(stream_, w.gradient, w.plain_gradient);
      const auto p = values(w.plain);
      const auto g = values(w.plain_gradient);
      for (size_t i = 0; i < p.size(); ++i) p[i] -= rate * g[i];
    }
    reorder_weights();
    return float(loss / double(h.size()));
  }

  Results results() override {
    if (!job_.train) return {{"h", {values(h_).begin(), values(h_).end()}}};
    Results all;
    each_part([&](const std::string& name, float* at, int64_t rows, int64_t stride) {
      for (int64_t r = 0; r < rows; ++r)
        all[name].insert(all[name].end(), at + r * stride, at + r * stride + job_.hidden);
    });
    return all;
  }

 private:
  static constexpr int kArgs[] = {DNNL_ARG_WEIGHTS_LAYER, DNNL_ARG_WEIGHTS_ITER, DNNL_ARG_BIAS,
                                  DNNL_ARG_WEIGHTS_PEEPHOLE};
  static constexpr int kDiffArgs[] = {DNNL_ARG_DIFF_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_ITER,
                                      DNNL_ARG_DIFF_BIAS, DNNL_ARG_DIFF_WEIGHTS_PEEPHOLE};

  memory make(const memory::desc& form) {
    memory m(form, engine_);
    std::ranges::fill(values(m), 0.0f);
    return m;
  }
  memory like(const memory::desc& form, const memory& plain) {
    return form == plain.get_desc() ? plain : make(form);
  }

  void add(const std::string& kind, const std::string& gates, int64_t rows, const memory::desc& form) {
    weights_.push_back({kind, gates, rows, make(form), {}, {}, {}, {}});
    each_part([&](const std::string& name, float* at, int64_t r, int64_t stride) {
      if (!name.starts_with(kind)) return;
      const std::vector<float> given = job_.parameter(name);
      for (int64_t row = 0; row < r; ++row)
        std::copy_n(given.begin() + row * job_.hidden, job_.hidden, at + row * stride);
    });
  }

  template <typename F>
  void each_part(F visit) {
    for (Weights& w : weights_) {
      for (size_t k = 0; k < w.gates.size(); ++k)
        visit(w.kind + w.gates[k], values(w.plain).data() + int64_t(k) * job_.hidden, w.rows,
              int64_t(w.gates.size()) * job_.hidden);
    }
  }

  void prepare_backward(const lstm_forward::primitive_desc& forward, const memory::desc& any_W,
                        const memory::desc& any_U, const memory::desc& bias, const memory::desc& peephole) {
    const memory::desc src = x_.get_desc(), dst = h_.get_desc(), first = h0_.get_desc();
    const lstm_backward::desc desc(dnnl::prop_kind::backward, dnnl::rnn_direction::unidirectional_left2right,
                                   src, first, first, any_W, any_U, peephole, bias, dst, first, first, src,
                                   first, first, any_W, any_U, peephole, bias, dst, first, first);
    const lstm_backward::primitive_desc backward(desc, engine_, forward);
    backward_ = lstm_backward(backward);
    dh_ = make(dst);
    backward_args_ = {{DNNL_ARG_SRC_LAYER, x_},
                      {DNNL_ARG_SRC_ITER, h0_},
                      {DNNL_ARG_SRC_ITER_C, c0_},
                      {DNNL_ARG_DST_LAYER, h_},
                      {DNNL_ARG_DST_ITER, hT_},
                      {DNNL_ARG_DST_ITER_C, cT_},
                      {DNNL_ARG_DIFF_DST_ITER, make(first)},
                      {DNNL_ARG_DIFF_DST_ITER_C, make(first)},
                      {DNNL_ARG_DIFF_SRC_LAYER, make(src)},
                      {DNNL_ARG_DIFF_SRC_ITER, make(first)},
                      {DNNL_ARG_DIFF_SRC_ITER_C, make(first)},
                      {DNNL_ARG_DIFF_DST_LAYER, dh_},
                      {DNNL_ARG_WORKSPACE, forward_args_.at(DNNL_ARG_WORKSPACE)}};
    const memory::desc forms[] = {backward.weights_layer_desc(), backward.weights_iter_desc(), bias,
                                  peephole};
    const memory::desc diffs[] = {backward.diff_weights_layer_desc(), backward.diff_weights_iter_desc(), bias,
                                  peephole};
    for (size_t i = 0; i < weights_.size(); ++i) {
      Weights& w = weights_[i];
      w.backward = like(forms[i], w.plain);
      w.gradient = make(diffs[i]);
      w.plain_gradient = diffs[i] == w.plain.get_desc() ? w.gradient : make(w.plain.get_desc());
      backward_args_[kArgs[i]] = w.backward;
      backward_args_[kDiffArgs[i]] = w.gradient;
    }
  }

  void reorder_weights() {
    for (Weights& w : weights_) {
      for (memory* to : {&w.forward, &w.backward}) {
        if (*to && *to != w.plain) dnnl::reorder(w.plain, *to).execute(stream_, w.plain, *to);
      }
    }
    stream_.wait();
  }

  const Job& job_;
  bool peephole_;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::vector<Weights> weights_;
  memory x_, h0_, c0_, h_, hT_, cT_, dh_;
  lstm_forward forward_;
  lstm_backward backward_;
  Args forward_args_, backward_args_;
};

}  // namespace
}  // namespace rnnc::peers

int main(int argc, char** argv) {
  try {
    if (argc != 2) throw std::runtime_error("usage: peer_onednn FOLDER");
    const rnnc::peers::Job job(argv[1]);
    if (job.cell != "lstm" && job.cell != "peephole")
      throw std::runtime_error("oneDNN has no cell " + job.cell);
    rnnc::peers::OneDnn peer(job);
    const dnnl_version_t* v = dnnl_version();
    return serve(peer, job, "oneDNN", fmt::format("{}.{}.{}", v->major, v->minor, v->patch));
  } catch (const std::exception& e) {
    fmt::print(stderr, "peer_onednn: {}\n", e.what());
    return 1;
  }
}
