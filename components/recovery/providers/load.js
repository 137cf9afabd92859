/* eslint-disable @typescript-eslint/no-require-imports -- plain Node runs it */
"use strict";

/**
 * What the text in the state loads (dynamic.ts): forwards every method to today's logic of a resource type,
 * which is loaded when the first one is called. A run that changes nothing loads none.
 *
 * @param {string} name the module beside this file that exports `provider`, made by `implement`
 */
module.exports = (name) => {
  let configuration;
  let provider;
  const logic = () => {
    if (provider === undefined) {
      require("../../loader.js");
      provider = require(`./${name}.ts`).provider;
      provider.configure(configuration);
    }
    return provider;
  };
  return {
    async configure(request) {
      configuration = request;
    },
    create: async (inputs) => logic().create(inputs),
    update: async (id, olds, news) => logic().update(id, olds, news),
    read: async (id, props) => logic().read(id, props),
    delete: async (id, props) => logic().delete(id, props),
  };
};
