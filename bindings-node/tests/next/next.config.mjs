export default { serverExternalPackages: ['@pabbly/connect-platform'] };
