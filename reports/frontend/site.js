// Turns on the folding menu of the GOV.UK styles where the browser can; every page works without it.
(function () {
  'use strict'
  if (!('noModule' in HTMLScriptElement.prototype) || !window.GOVUKFrontend) return
  document.body.classList.add('js-enabled', 'govuk-frontend-supported')
  window.GOVUKFrontend.createAll(window.GOVUKFrontend.ServiceNavigation)
})()
